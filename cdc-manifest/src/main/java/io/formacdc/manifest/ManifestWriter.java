package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonGenerator;
import io.formacdc.core.ManifestForm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a manifest, a file to a line, and again what it has become. Entries that stand where they stood in the last
 * document are not encoded once more, so that an append to a long list costs little more than sending it. Confined to a
 * thread.
 */
final class ManifestWriter {
    private ManifestForm form = ManifestForm.TIERED;
    /** The arrays of the last documents, by name; no two forms have one name. */
    private final Map<String, WrittenArray> written = new HashMap<>();
    /** Of the entry encoded last: most have the same. */
    private Map<String, String> columns = Map.of();

    private byte[] columnsJson = {};

    private record WrittenArray(List<ManifestEntry> entries, List<byte[]> json) {
        private static final WrittenArray EMPTY = new WrittenArray(List.of(), List.of());

        byte @Nullable [] jsonOf(int index, ManifestEntry entry) {
            return index < entries.size() && entries.get(index).equals(entry) ? json.get(index) : null;
        }
    }

    /** @throws IllegalArgumentException if an unknown key holds what is no JSON */
    byte[] write(Manifest manifest) {
        form = manifest.form();
        return StrictJson.write(json -> write(json, manifest));
    }

    private void write(JsonGenerator json, Manifest manifest) throws IOException {
        json.writeStartObject();
        json.writeNumberField("schema_id", manifest.schemaId());
        json.writeNumberField("version", manifest.version());
        json.writeNumberField("flush_seq", manifest.flushSeq());
        json.writeNumberField("updated_at_ms", manifest.updatedAtMillis());
        if (form == ManifestForm.TIERED) {
            writeEntries(json, ManifestEntry.BASE, manifest.base());
            writeEntries(json, ManifestEntry.DELTA, manifest.delta());
        } else {
            writeEntries(json, "files", manifest.entries());
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
        writeUnknown(json, manifest.unknownKeys(), ManifestJson.rootKeys(form));
        json.writeEndObject();
    }

    private void writeEntries(JsonGenerator json, String array, List<ManifestEntry> entries) throws IOException {
        WrittenArray last = written.getOrDefault(array, WrittenArray.EMPTY);
        List<byte[]> encoded = new ArrayList<>(entries.size());
        json.writeArrayFieldStart(array);
        for (int i = 0; i < entries.size(); i++) {
            byte[] known = last.jsonOf(i, entries.get(i));
            encoded.add(known == null ? encode(entries.get(i)) : known);
            StrictJson.writeWritten(json, encoded.get(i));
        }
        json.writeEndArray();
        written.put(array, new WrittenArray(entries, encoded));
    }

    private byte[] encode(ManifestEntry entry) {
        ManifestJson.EntryKeys keys = ManifestJson.EntryKeys.of(form);
        return StrictJson.writeInOneLine(json -> {
            json.writeStartObject();
            if (form == ManifestForm.FILES) {
                json.writeStringField(keys.level(), labelOf(entry, keys));
            }
            json.writeStringField("path", entry.path());
            writeIfKnown(json, keys.minRowId(), entry.minRowId());
            writeIfKnown(json, keys.maxRowId(), entry.maxRowId());
            writeIfKnown(json, keys.minTime(), entry.minTimeSlot());
            writeIfKnown(json, keys.maxTime(), entry.maxTimeSlot());
            writeIfKnown(json, "size_bytes", entry.sizeBytes());
            if (form == ManifestForm.TIERED) {
                json.writeStringField(keys.level(), labelOf(entry, keys));
            }
            writeIfKnown(json, "row_count", entry.rowCount());
            writeIfKnown(json, "checksum", entry.checksum());
            if (!entry.columns().isEmpty()) {
                json.writeFieldName("columns");
                StrictJson.writeWritten(json, encode(entry.columns()));
            }
            writeUnknown(json, entry.unknownKeys(), keys.all());
            json.writeEndObject();
        });
    }

    @SuppressWarnings("ReferenceEquality") // equal maps can differ in their order
    private byte[] encode(Map<String, String> wanted) {
        if (wanted != columns) {
            columnsJson = StrictJson.writeInOneLine(json -> {
                json.writeStartObject();
                for (Map.Entry<String, String> column : wanted.entrySet()) {
                    json.writeStringField(column.getKey(), column.getValue());
                }
                json.writeEndObject();
            });
            columns = wanted;
        }
        return columnsJson;
    }

    /** The level as it was spelled, unless the entry has changed its tier since. */
    private String labelOf(ManifestEntry entry, ManifestJson.EntryKeys keys) {
        String loaded = entry.unknownKeys().get(keys.level());
        if (loaded != null) {
            String label = StrictJson.readText(loaded).asText();
            if (form == ManifestForm.TIERED || label.equalsIgnoreCase(entry.level())) {
                return label;
            }
        }
        return entry.level();
    }

    private static void writeSince(
            JsonGenerator json, String path, String key, long millis, Map<String, String> unknownKeys)
            throws IOException {
        byte[] line = StrictJson.writeInOneLine(object -> {
            object.writeStartObject();
            object.writeStringField("path", path);
            object.writeNumberField(key, millis);
            writeUnknown(object, unknownKeys, Set.of("path", key));
            object.writeEndObject();
        });
        StrictJson.writeWritten(json, line);
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
