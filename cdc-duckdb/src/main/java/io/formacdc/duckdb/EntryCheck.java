package io.formacdc.duckdb;

import io.formacdc.core.Amounts;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.ManifestForm;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.manifest.ManifestEntry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares what an entry says of a file with what is in it. What an entry leaves out is not wrong.
 *
 * @param form of the manifest that has the entry
 */
record EntryCheck(ManifestForm form, ManifestEntry entry, FileFacts facts) {
    private static final String WRITE_ENTRY_ANEW = "write the entry anew from the file";
    private static final String COMPACT = "a compaction that rewrites the file";

    List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        FileContents found = facts.contents();
        if (differ(entry.rowCount(), found.rowCount())) {
            findings.add(finding(
                    Kind.WRONG_ROW_COUNT,
                    "it has " + Amounts.of(found.rowCount(), "row") + ", not " + entry.rowCount(),
                    WRITE_ENTRY_ANEW));
        }
        if (hasOtherBounds()) {
            findings.add(finding(
                    Kind.WRONG_BOUNDS,
                    "it has " + found.rowIds() + " and " + found.versions() + ", listed are " + entry.minRowId()
                            + " to " + entry.maxRowId() + " and " + entry.minTimeSlot() + " to " + entry.maxTimeSlot(),
                    WRITE_ENTRY_ANEW));
        }
        if (!entry.columns().isEmpty() && !entry.columns().equals(found.columns())) {
            findings.add(finding(
                    Kind.WRONG_COLUMNS,
                    "it has columns " + found.columns() + ", listed are " + entry.columns(),
                    WRITE_ENTRY_ANEW));
        }
        boolean isBase = entry.level().equals(ManifestEntry.BASE);
        if (isBase && facts.tombstones() > 0) {
            findings.add(
                    finding(Kind.BASE_TOMBSTONE, "it has " + Amounts.of(facts.tombstones(), "tombstone"), COMPACT));
        }
        if (isBase && facts.repeatedRows() > 0) {
            findings.add(finding(
                    Kind.BASE_ROW_TWICE,
                    "it has " + Amounts.of(facts.repeatedRows(), "row") + " more than row ids",
                    COMPACT));
        }
        return findings;
    }

    private boolean hasOtherBounds() {
        RowIdRange rowIds = facts.contents().rowIds();
        if (differ(entry.minRowId(), rowIds == null ? null : rowIds.min().toString())
                || differ(entry.maxRowId(), rowIds == null ? null : rowIds.max().toString())) {
            return true;
        }
        VersionRange versions = facts.contents().versions();
        // In the other form Go writes the times of publication.
        return form == ManifestForm.TIERED
                && (differ(entry.minTimeSlot(), versions == null ? null : versions.minMillis())
                        || differ(entry.maxTimeSlot(), versions == null ? null : versions.maxMillis()));
    }

    private static boolean differ(@Nullable Object listed, @Nullable Object found) {
        return listed != null && !listed.equals(found);
    }

    private Finding finding(Kind kind, String problem, String cure) {
        return new Finding(entry.key(), kind, problem, cure);
    }
}
