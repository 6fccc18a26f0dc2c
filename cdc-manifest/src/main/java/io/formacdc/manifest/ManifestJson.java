package io.formacdc.manifest;

import io.formacdc.core.ManifestForm;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What {@link ManifestReader} and {@link ManifestWriter} agree on: the keys of both forms, and the largest document. */
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

    /** All that can stand at the top. */
    static Set<String> rootKeys(ManifestForm form) {
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
}
