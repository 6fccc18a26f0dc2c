package io.formacdc.duckdb;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a repair of a schema did.
 *
 * @param files every unlisted delta with rows that no listed file covers, in key order
 * @param refusal why nothing could be judged; null if it could
 */
public record RepairReport(
        int schemaId,
        Outcome outcome,
        List<UnlistedFile> files,
        @Nullable String refusal) {
    public RepairReport {
        files = List.copyOf(files);
    }

    /** How a repair came out. */
    public enum Outcome {
        /** No unlisted delta holds a row that is nowhere else. */
        NOTHING_TO_REPAIR,
        /** Rows of some unlisted deltas are in listed files now; others may have been refused. */
        REPAIRED,
        /** There is something to repair, and none of it is safe. */
        REFUSED,
        /** Another session holds the schema's lock, so a flush may be at work; try again later. */
        LOCKED_ELSEWHERE
    }

    /**
     * Rows of an unlisted delta that no listed file covers and that are not dirty, of each row the newest such version
     * in all unlisted deltas, judged by what PostgreSQL says of its entity.
     *
     * @param key of the unlisted delta
     * @param lostRows live rows of living entities: safe
     * @param lostDeletes tombstones of entities that are gone: safe
     * @param deadRows live rows of entities that are gone, which listing would resurrect
     * @param livingDeletes tombstones of living entities, which listing would hide
     * @param repairKey the new listed file that holds the safe rows; null where nothing was listed
     */
    public record UnlistedFile(
            String key,
            long lostRows,
            long lostDeletes,
            long deadRows,
            long livingDeletes,
            @Nullable String repairKey) {
        /** Whether every one of these rows may be listed. */
        public boolean isSafe() {
            return deadRows == 0 && livingDeletes == 0;
        }

        /** Rows that were judged. */
        public long rows() {
            return lostRows + lostDeletes + deadRows + livingDeletes;
        }

        String problem() {
            return rows() + " of its rows are in no listed file: " + lostRows + " lost rows, " + lostDeletes
                    + " lost deletes, " + deadRows + " rows of entities that PostgreSQL no longer has, " + livingDeletes
                    + " tombstones of entities that it still has";
        }
    }

    /** One line for each file, and one before them. */
    public String explain() {
        StringBuilder text = new StringBuilder("schema " + schemaId + ": "
                + outcome.name().toLowerCase(Locale.ROOT).replace('_', ' ')
                + (refusal == null ? "" : ", " + refusal));
        for (UnlistedFile file : files) {
            text.append(String.format(
                    Locale.ROOT,
                    "%n  %s: %s; %s",
                    file.key(),
                    file.problem(),
                    file.repairKey() == null ? "refused" : "listed as " + file.repairKey()));
        }
        return text.append(System.lineSeparator()).toString();
    }
}
