package io.formacdc.core;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a pass did, schema by schema, in ascending order of id. A schema without dirty rows is not in it.
 *
 * @param dryRun whether nothing was written
 * @param schemas one for each schema with dirty rows
 * @param duration of the whole pass
 */
public record FlushReport(boolean dryRun, List<SchemaFlush> schemas, Duration duration) {
    public FlushReport {
        schemas = List.copyOf(schemas);
    }

    /** The schema's part, if it had dirty rows. */
    public Optional<SchemaFlush> schema(int schemaId) {
        return schemas.stream().filter(s -> s.schemaId() == schemaId).findFirst();
    }

    /** Rows in all files that the pass listed. */
    public long rows() {
        return schemas.stream().mapToLong(SchemaFlush::rows).sum();
    }

    /** Files that the pass listed. */
    public long files() {
        return schemas.stream().mapToLong(s -> s.keys().size()).sum();
    }

    /** How a schema came out. */
    public enum Outcome {
        /** All that was dirty when the schema was begun is in listed files. */
        FLUSHED,
        /** Too few rows, too young: left for a later pass. */
        BELOW_THRESHOLD,
        /** Another session holds the schema's lock. */
        LOCKED_ELSEWHERE,
        /** A dry run; the figures say what would be written. */
        DRY_RUN,
        /** Another flush had been at work; the chunk was given up, its rows stay dirty. */
        FENCED,
        /** An error; chunks before it are flushed. */
        FAILED,
        /** An error that leaves open whether the last file is listed; its key is in the error. */
        UNKNOWN
    }

    /**
     * One schema.
     *
     * @param outcome how it came out
     * @param dirtyRows dirty rows when the schema was looked at
     * @param rows rows in the files listed, or that a dry run would write
     * @param markedRows rows marked flushed; fewer than {@code rows} where a writer was at work meanwhile, or held rows
     *     during the mark; those stay dirty, for the next pass
     * @param keys keys of the files listed, in order; empty in a dry run
     * @param chunks files listed, or that a dry run would write
     * @param bytes size of the files listed
     * @param lossyCasts by attribute name, values that did not fit their column and became NULL; none in a dry run,
     *     which reads no values
     * @param duration from lock to release
     * @param error why it failed; null unless it did
     */
    public record SchemaFlush(
            int schemaId,
            Outcome outcome,
            long dirtyRows,
            long rows,
            long markedRows,
            List<String> keys,
            int chunks,
            long bytes,
            Map<String, Long> lossyCasts,
            Duration duration,
            @Nullable CdcException error) {
        public SchemaFlush {
            keys = List.copyOf(keys);
            lossyCasts = Map.copyOf(lossyCasts);
        }
    }
}
