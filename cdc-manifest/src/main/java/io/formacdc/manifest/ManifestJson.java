package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonGenerator;
import io.formacdc.core.ManifestForm;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The two documents of a manifest: what their keys are called, and how they are written. */
final class ManifestJson {
    /** Room for some fifty thousand files; a document beyond it would cost every save more than its flush. */
    static final int MAX_BYTES = 64 * 1024 * 1024;

    private ManifestJson() {}

    /** The keys of an entry that differ between the forms. */
    record EntryKeys(String level, String minRowId, String maxRowId, String minTime, String maxTime) {
        private static final EntryKeys TIERED =
                new EntryKeys("level", "min_row_id", "max_row_id", "min_time_slot", "max_time_slot");
        private static final EntryKeys FILES =
                new EntryKeys("tier", "row_id_min", "row_id_max", "created_min", "created_max");

        static EntryKeys of(ManifestForm form) {
            return form == ManifestForm.TIERED ? TIERED : FILES;
        }

        /** With those that both forms have. */
        Set<String> all() {
            return Set.of(
                    level,
                    minRowId,
                    maxRowId,
                    minTime,
                    maxTime,
                    "path",
                    "size_bytes",
                    "row_count",
                    "checksum",
                    "columns");
        }
    }

    static List<String> arraysOf(ManifestForm form) {
        return form == ManifestForm.TIERED ? List.of(ManifestEntry.BASE, ManifestEntry.DELTA) : List.of("files");
    }

    private static Set<String> rootKeys(ManifestForm form) {
        Set<String> keys =
                new HashSet<>(Set.of("schema_id", "version", "flush_seq", "updated_at_ms", "retired", "orphans"));
        keys.addAll(arraysOf(form));
        return keys;
    }

    static String nameOf(int schemaId, String manifestKey) {
        return "manifest \"" + manifestKey + "\" of schema " + schemaId;
    }

    static String tooLarge(int bytes) {
        return "has " + bytes + " bytes, more than the " + MAX_BYTES + " that can be kept; compact the schema";
    }

    /** @throws IllegalArgumentException if an unknown key holds what is no JSON */
    static byte[] write(Manifest manifest) {
        return StrictJson.write(json -> {
            json.writeStartObject();
            json.writeNumberField("schema_id", manifest.schemaId());
            json.writeNumberField("version", manifest.version());
            json.writeNumberField("flush_seq", manifest.flushSeq());
            json.writeNumberField("updated_at_ms", manifest.updatedAtMillis());
            if (manifest.form() == ManifestForm.TIERED) {
                writeEntries(json, ManifestEntry.BASE, manifest.base(), manifest.form());
                writeEntries(json, ManifestEntry.DELTA, manifest.delta(), manifest.form());
            } else {
                writeEntries(json, "files", manifest.entries(), manifest.form());
            }
            if (!manifest.retired().isEmpty()) {
                json.writeArrayFieldStart("retired");
                for (RetiredFile file : manifest.retired()) {
                    writeSince(json, file.path(), "retired_at_ms", file.retiredAtMillis(), file.unknownKeys());
                }
                json.writeEndArray();
            }
            if (!manifest.orphans().isEmpty()) {
                json.writeArrayFieldStart("orphans");
                for (OrphanSighting orphan : manifest.orphans()) {
                    writeSince(json, orphan.path(), "seen_at_ms", orphan.seenAtMillis(), orphan.unknownKeys());
                }
                json.writeEndArray();
            }
            writeUnknown(json, manifest.unknownKeys(), rootKeys(manifest.form()));
            json.writeEndObject();
        });
    }

    private static void writeEntries(JsonGenerator json, String array, List<ManifestEntry> entries, ManifestForm form)
            throws IOException {
        EntryKeys keys = EntryKeys.of(form);
        Set<String> knownKeys = keys.all();
        json.writeArrayFieldStart(array);
        for (ManifestEntry entry : entries) {
            json.writeStartObject();
            if (form == ManifestForm.FILES) {
                json.writeStringField(keys.level(), labelOf(entry, keys, form));
            }
            json.writeStringField("path", entry.path());
            writeIfKnown(json, keys.minRowId(), entry.minRowId());
            writeIfKnown(json, keys.maxRowId(), entry.maxRowId());
            writeIfKnown(json, keys.minTime(), entry.minTimeSlot());
            writeIfKnown(json, keys.maxTime(), entry.maxTimeSlot());
            writeIfKnown(json, "size_bytes", entry.sizeBytes());
            if (form == ManifestForm.TIERED) {
                json.writeStringField(keys.level(), labelOf(entry, keys, form));
            }
            writeIfKnown(json, "row_count", entry.rowCount());
            writeIfKnown(json, "checksum", entry.checksum());
            if (!entry.columns().isEmpty()) {
                json.writeObjectFieldStart("columns");
                for (Map.Entry<String, String> column : entry.columns().entrySet()) {
                    json.writeStringField(column.getKey(), column.getValue());
                }
                json.writeEndObject();
            }
            writeUnknown(json, entry.unknownKeys(), knownKeys);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void writeSince(
            JsonGenerator json, String path, String key, long millis, Map<String, String> unknownKeys)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("path", path);
        json.writeNumberField(key, millis);
        writeUnknown(json, unknownKeys, Set.of("path", key));
        json.writeEndObject();
    }

    /** The level as it was spelled, unless the entry has changed its tier since. */
    private static String labelOf(ManifestEntry entry, EntryKeys keys, ManifestForm form) {
        String loaded = entry.unknownKeys().get(keys.level());
        if (loaded != null) {
            String label = StrictJson.readText(loaded).asText();
            if (form == ManifestForm.TIERED || label.equalsIgnoreCase(entry.level())) {
                return label;
            }
        }
        return entry.level();
    }

    private static void writeIfKnown(JsonGenerator json, String key, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeStringField(key, value);
        }
    }

    private static void writeIfKnown(JsonGenerator json, String key, @Nullable Long value) throws IOException {
        if (value != null) {
            json.writeNumberField(key, value);
        }
    }

    /** @param knownKeys those that are written from what is known, and not twice */
    private static void writeUnknown(JsonGenerator json, Map<String, String> unknownKeys, Set<String> knownKeys)
            throws IOException {
        for (Map.Entry<String, String> unknown : unknownKeys.entrySet()) {
            if (!knownKeys.contains(unknown.getKey())) {
                json.writeFieldName(unknown.getKey());
                json.writeTree(StrictJson.readText(unknown.getValue()));
            }
        }
    }
}
