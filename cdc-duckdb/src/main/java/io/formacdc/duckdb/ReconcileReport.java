package io.formacdc.duckdb;

import java.util.List;
import java.util.Locale;

/**
 * What a check of a schema found: where manifest, objects and PostgreSQL do not agree.
 *
 * @param depth how far it looked
 * @param findings in key order; none if all is well
 */
public record ReconcileReport(int schemaId, Depth depth, List<Finding> findings) {
    public ReconcileReport {
        findings = List.copyOf(findings);
    }

    /** How far a check looks. */
    public enum Depth {
        /** The manifest and a listing of the bucket: what is there, and of which size. */
        LISTING,
        /** Every listed file, and every unlisted delta, is downloaded and read, one after the other. */
        CONTENTS
    }

    /** What is wrong. */
    public enum Kind {
        /** There is nothing where it was looked: a wrong prefix, or a schema that was never flushed. */
        NOTHING_THERE(true),
        /** There are objects, and no manifest that lists them. */
        NO_MANIFEST(true),
        /** A listed object is not there. */
        MISSING(true),
        /** A listed object has another size than is listed. */
        WRONG_SIZE(true),
        /** A listed object has other bytes than it was listed with. */
        WRONG_CHECKSUM(true),
        /** A listed object is no Parquet file of this library. */
        UNREADABLE(true),
        /** A listed file holds rows of another schema, or without row id or version. */
        FOREIGN_ROWS(true),
        /** A listed file has another number of rows than is listed. */
        WRONG_ROW_COUNT(true),
        /** Row ids or versions of a listed file have other bounds than are listed. */
        WRONG_BOUNDS(true),
        /** A listed file has other columns than are listed. */
        WRONG_COLUMNS(true),
        /** A base file holds a row twice, or two of them hold one. */
        BASE_ROW_TWICE(true),
        /** Row ids of two base files overlap. */
        BASE_OVERLAP(true),
        /** A base file holds tombstones. */
        BASE_TOMBSTONE(true),
        /** An unlisted delta holds versions that no listed file has, and that the next flush does not bring. */
        UNCOVERED_ROWS(true),
        /** A base file that is not listed, where no base is: the manifest that listed it may have been lost. */
        LOST_BASE(true),
        /** An unlisted delta that a sweep deleted before its rows could be looked at. */
        SWEPT(true),
        /** An object that was never listed, of no use to readers. */
        UNLISTED(false),
        /** An object that was listed, and waits for a sweep. */
        RETIRED(false),
        /** An object that a sweep has found before, and that cannot be listed any more; its rows can, under another key. */
        SIGHTED(false),
        /** An object on its way, or left there. */
        STAGED(false),
        /** An object under a key that no part of this library writes. */
        UNKNOWN(false);

        private final boolean damage;

        Kind(boolean damage) {
            this.damage = damage;
        }

        /** Whether readers can be misled, or cannot be told to be safe; otherwise it is only an object too many. */
        public boolean isDamage() {
            return damage;
        }
    }

    /**
     * One disagreement.
     *
     * @param key of the object
     * @param problem what is wrong
     * @param cure what would put it right
     */
    public record Finding(String key, Kind kind, String problem, String cure) {
        String explain() {
            return String.format(
                    Locale.ROOT,
                    "%-15s %s: %s; %s",
                    kind.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    key,
                    problem,
                    cure);
        }
    }

    /** Findings by which readers can be misled, or by which that cannot be told. */
    public List<Finding> damage() {
        return findings.stream().filter(finding -> finding.kind().isDamage()).toList();
    }

    /** Whether readers see what was flushed. Objects too many do not count. */
    public boolean isClean() {
        return damage().isEmpty();
    }

    /** One line for each finding, and one before them. */
    public String explain() {
        StringBuilder text = new StringBuilder("schema " + schemaId + ": ");
        text.append(findings.isEmpty() ? "all is well" : damage().size() + " of " + findings.size() + " are damage");
        for (Finding finding : findings) {
            text.append(String.format("%n  ")).append(finding.explain());
        }
        return text.append(System.lineSeparator()).toString();
    }
}
