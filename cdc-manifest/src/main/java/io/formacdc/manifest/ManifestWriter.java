package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonGenerator;
import io.formacdc.core.ManifestForm;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a manifest, and again what it has become. Entries that were in what was written last are not encoded once more,
 * so that an append to a long list costs little more than sending it. Confined to a thread.
 */
final class ManifestWriter {
    /** Of an entry in the array of its tier. */
    private static final int DEPTH = 2;

    private ManifestForm form = ManifestForm.TIERED;
    /** By the very entry, of what was written last. */
    private IdentityHashMap<ManifestEntry, byte[]> written = new IdentityHashMap<>();

    /** @throws IllegalArgumentException if an unknown key holds what is no JSON */
    byte[] write(Manifest manifest) {
        IdentityHashMap<ManifestEntry, byte[]> last = manifest.form() == form ? written : new IdentityHashMap<>();
        form = manifest.form();
        written = new IdentityHashMap<>(manifest.entries().size());
        return StrictJson.write(json -> write(json, manifest, last));
    }

    private void write(JsonGenerator json, Manifest manifest, IdentityHashMap<ManifestEntry, byte[]> last)
            throws IOException {
        json.writeStartObject();
        json.writeNumberField("schema_id", manifest.schemaId());
        json.writeNumberField("version", manifest.version());
        json.writeNumberField("flush_seq", manifest.flushSeq());
        json.writeNumberField("updated_at_ms", manifest.updatedAtMillis());
        if (form == ManifestForm.TIERED) {
            writeEntries(json, ManifestEntry.BASE, manifest.base(), last);
            writeEntries(json, ManifestEntry.DELTA, manifest.delta(), last);
        } else {
            writeEntries(json, "files", manifest.entries(), last);
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

    private void writeEntries(
            JsonGenerator json, String array, List<ManifestEntry> entries, IdentityHashMap<ManifestEntry, byte[]> last)
            throws IOException {
        json.writeArrayFieldStart(array);
        for (ManifestEntry entry : entries) {
            byte[] encoded = last.computeIfAbsent(entry, this::encode);
            written.put(entry, encoded);
            StrictJson.writeWritten(json, encoded);
        }
        json.writeEndArray();
    }

    private byte[] encode(ManifestEntry entry) {
        ManifestJson.EntryKeys keys = ManifestJson.EntryKeys.of(form);
        return StrictJson.writeNested(DEPTH, json -> {
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
                json.writeObjectFieldStart("columns");
                for (Map.Entry<String, String> column : entry.columns().entrySet()) {
                    json.writeStringField(column.getKey(), column.getValue());
                }
                json.writeEndObject();
            }
            writeUnknown(json, entry.unknownKeys(), keys.all());
            json.writeEndObject();
        });
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
        json.writeStartObject();
        json.writeStringField("path", path);
        json.writeNumberField(key, millis);
        writeUnknown(json, unknownKeys, Set.of("path", key));
        json.writeEndObject();
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
