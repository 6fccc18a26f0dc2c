package io.formacdc.manifest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.formacdc.core.ManifestForm;
import java.util.List;
import java.util.Map;
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
    }

    static List<String> arraysOf(ManifestForm form) {
        return form == ManifestForm.TIERED ? List.of(ManifestEntry.BASE, ManifestEntry.DELTA) : List.of("files");
    }

    static String nameOf(int schemaId, String manifestKey) {
        return "manifest \"" + manifestKey + "\" of schema " + schemaId;
    }

    static String tooLarge(int bytes) {
        return "has " + bytes + " bytes, more than the " + MAX_BYTES + " that can be kept; compact the schema";
    }

    /** @throws IllegalArgumentException if an unknown key holds what is no JSON */
    static byte[] write(Manifest manifest) {
        ObjectNode root = StrictJson.newObject();
        root.put("schema_id", manifest.schemaId());
        root.put("version", manifest.version());
        root.put("flush_seq", manifest.flushSeq());
        root.put("updated_at_ms", manifest.updatedAtMillis());
        if (manifest.form() == ManifestForm.TIERED) {
            putEntries(root.putArray(ManifestEntry.BASE), manifest.base(), manifest.form());
            putEntries(root.putArray(ManifestEntry.DELTA), manifest.delta(), manifest.form());
        } else {
            putEntries(root.putArray("files"), manifest.entries(), manifest.form());
        }
        if (!manifest.retired().isEmpty()) {
            ArrayNode retired = root.putArray("retired");
            for (RetiredFile file : manifest.retired()) {
                ObjectNode node = retired.addObject();
                node.put("path", file.path());
                node.put("retired_at_ms", file.retiredAtMillis());
                putUnknown(node, file.unknownKeys());
            }
        }
        if (!manifest.orphans().isEmpty()) {
            ArrayNode orphans = root.putArray("orphans");
            for (OrphanSighting orphan : manifest.orphans()) {
                ObjectNode node = orphans.addObject();
                node.put("path", orphan.path());
                node.put("seen_at_ms", orphan.seenAtMillis());
                putUnknown(node, orphan.unknownKeys());
            }
        }
        putUnknown(root, manifest.unknownKeys());
        return StrictJson.write(root);
    }

    private static void putEntries(ArrayNode array, List<ManifestEntry> entries, ManifestForm form) {
        EntryKeys keys = EntryKeys.of(form);
        for (ManifestEntry entry : entries) {
            ObjectNode node = array.addObject();
            if (form == ManifestForm.FILES) {
                node.put(keys.level(), labelOf(entry, keys, form));
            }
            node.put("path", entry.path());
            putIfKnown(node, keys.minRowId(), entry.minRowId());
            putIfKnown(node, keys.maxRowId(), entry.maxRowId());
            putIfKnown(node, keys.minTime(), entry.minTimeSlot());
            putIfKnown(node, keys.maxTime(), entry.maxTimeSlot());
            putIfKnown(node, "size_bytes", entry.sizeBytes());
            if (form == ManifestForm.TIERED) {
                node.put(keys.level(), labelOf(entry, keys, form));
            }
            putIfKnown(node, "row_count", entry.rowCount());
            putIfKnown(node, "checksum", entry.checksum());
            if (!entry.columns().isEmpty()) {
                ObjectNode columns = node.putObject("columns");
                entry.columns().forEach(columns::put);
            }
            putUnknown(node, entry.unknownKeys());
        }
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

    private static void putIfKnown(ObjectNode node, String key, @Nullable String value) {
        if (value != null) {
            node.put(key, value);
        }
    }

    private static void putIfKnown(ObjectNode node, String key, @Nullable Long value) {
        if (value != null) {
            node.put(key, value);
        }
    }

    private static void putUnknown(ObjectNode node, Map<String, String> unknownKeys) {
        unknownKeys.forEach((key, json) -> {
            if (!node.has(key)) {
                node.set(key, StrictJson.readText(json));
            }
        });
    }
}
