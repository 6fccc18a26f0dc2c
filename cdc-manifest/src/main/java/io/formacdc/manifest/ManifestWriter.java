package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonGenerator;
import io.formacdc.core.ManifestForm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a manifest, a file to a line, and again what it has become. The entries that an array begins with are copied out
 * of the last document as far as they are the same, so that an append to a long list costs little more than sending it.
 * Confined to a thread.
 */
final class ManifestWriter {
    private ManifestForm form = ManifestForm.TIERED;
    private byte[] lastDocument = {};
    /** Of the last document, by array; no two forms have an array of one name. */
    private Map<String, LocatedEntries> lastArrays = Map.of();
    /** Of the entry encoded last: most have the same. */
    private Map<String, String> columns = Map.of();

    private byte[] columnsJson = {};

    /**
     * Starts from a document that was read.
     *
     * @param document UTF-8 that nobody changes any more; any other if the places of its entries are not known
     * @param arrays its entries, by array
     */
    void startFrom(byte[] document, Map<String, LocatedEntries> arrays) {
        lastDocument = document;
        lastArrays = arrays;
    }

    /**
     * Returns an array that nobody may change.
     *
     * @throws IllegalArgumentException if an unknown key holds what is no JSON
     */
    byte[] write(Manifest manifest) {
        byte[] document = writeAfterLast(manifest);
        if (document.length <= ManifestJson.MAX_BYTES) {
            return document;
        }
        startFrom(new byte[0], Map.of()); // what others have spaced widely takes less room when it is encoded
        return writeAfterLast(manifest);
    }

    private byte[] writeAfterLast(Manifest manifest) {
        form = manifest.form();
        Map<String, LocatedEntries> arrays = new HashMap<>();
        byte[] document = StrictJson.write(json -> write(json, manifest, arrays));
        startFrom(document, arrays);
        return document;
    }

    private void write(JsonGenerator json, Manifest manifest, Map<String, LocatedEntries> arrays) throws IOException {
        json.writeStartObject();
        json.writeNumberField("schema_id", manifest.schemaId());
        json.writeNumberField("version", manifest.version());
        json.writeNumberField("flush_seq", manifest.flushSeq());
        json.writeNumberField("updated_at_ms", manifest.updatedAtMillis());
        if (form == ManifestForm.TIERED) {
            arrays.put(ManifestEntry.BASE, writeEntries(json, ManifestEntry.BASE, manifest.base()));
            arrays.put(ManifestEntry.DELTA, writeEntries(json, ManifestEntry.DELTA, manifest.delta()));
        } else {
            arrays.put("files", writeEntries(json, "files", manifest.entries()));
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

    private LocatedEntries writeEntries(JsonGenerator json, String array, List<ManifestEntry> entries)
            throws IOException {
        LocatedEntries last = lastArrays.getOrDefault(array, new LocatedEntries());
        LocatedEntries located = new LocatedEntries();
        json.writeArrayFieldStart(array);
        int kept = last.countOfSame(entries, lastDocument);
        if (kept > 0) {
            int begin = StrictJson.writeWritten(json, last.first(kept, lastDocument));
            located.addFirst(kept, last, begin);
        }
        for (ManifestEntry entry : entries.subList(kept, entries.size())) {
            byte[] encoded = encode(entry);
            int begin = StrictJson.writeWritten(json, ByteBuffer.wrap(encoded));
            located.add(entry, begin, begin + encoded.length);
        }
        json.writeEndArray();
        return located;
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
                StrictJson.writeWritten(json, ByteBuffer.wrap(encode(entry.columns())));
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
        StrictJson.writeWritten(json, ByteBuffer.wrap(line));
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
