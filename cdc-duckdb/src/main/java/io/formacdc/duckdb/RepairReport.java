package io.formacdc.duckdb;

import io.formacdc.core.Amounts;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a repair of a schema did.
 *
 * @param files every unlisted delta with rows that no listed file covers, in key order
 * @param beyondRepair what is wrong with the schema and no repair puts right, such as a listed object that is missing or
 *     broken; a cure stands with each
 * @param refusal why nothing was done; null unless it was refused
 */
public record RepairReport(
        int schemaId,
        Outcome outcome,
        List<UnlistedFile> files,
        List<ReconcileReport.Finding> beyondRepair,
        @Nullable String refusal) {
    public RepairReport {
        beyondRepair = List.copyOf(beyondRepair);
        files = List.copyOf(files);
    }

    /** How a repair came out. */
    public enum Outcome {
        /** No unlisted delta holds a row that is nowhere else, and nothing else is wrong. */
        NOTHING_TO_REPAIR,
        /** Rows of some unlisted deltas are in listed files now; others may have been refused. */
        REPAIRED,
        /** Something is wrong, and nothing of it can be repaired, or not safely. */
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
            return rows() + (rows() == 1 ? " of its rows is" : " of its rows are") + " in no listed file: "
                    + Amounts.of(lostRows, "lost row") + ", "
                    + Amounts.of(lostDeletes, "lost delete") + ", " + Amounts.of(deadRows, "row")
                    + " of entities that PostgreSQL no longer has, " + Amounts.of(livingDeletes, "tombstone")
                    + " of entities that it still has";
        }
    }

    /** One line for each file and for each thing beyond repair, and one before them. */
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
        for (ReconcileReport.Finding finding : beyondRepair) {
            text.append(String.format("%n  not repaired: ")).append(finding.explain());
        }
        return text.append(System.lineSeparator()).toString();
    }
}
