package io.formacdc.core;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a compaction did, schema by schema, in ascending order of id.
 *
 * @param schemas one for each schema looked at
 * @param duration of the whole run
 */
public record CompactionReport(List<SchemaCompaction> schemas, Duration duration) {
    public CompactionReport {
        schemas = List.copyOf(schemas);
    }

    /** The schema's part, if it was looked at. */
    public Optional<SchemaCompaction> schema(int schemaId) {
        return schemas.stream().filter(s -> s.schemaId() == schemaId).findFirst();
    }

    /** How a schema came out. */
    public enum Outcome {
        /** New files are listed in the place of old ones. */
        COMPACTED,
        /** Everything is in shape; nothing was written. */
        NOTHING_TO_DO,
        /** There is no manifest: the schema was never flushed, or manifests are elsewhere than was looked. */
        NO_MANIFEST,
        /** Another compaction or an export came first; nothing was listed, and the next run starts from what it left. */
        OVERTAKEN,
        /** An error; nothing was listed by what failed. */
        FAILED,
        /** An error that leaves open whether the new files are listed. */
        UNKNOWN
    }

    /**
     * One schema. The figures are 0 unless it was compacted, or there was nothing to do.
     *
     * @param outcome how it came out
     * @param filesBefore listed files before
     * @param filesAfter listed files after, as far as this compaction changed them
     * @param filesRetired files taken off the list; their objects stay for the grace
     * @param filesWritten files put on the list
     * @param bytesRetired size of the files taken off
     * @param bytesWritten size of the files put on
     * @param duration from the load of the manifest to its save
     * @param error why it failed; null unless it did
     */
    public record SchemaCompaction(
            int schemaId,
            Outcome outcome,
            int filesBefore,
            int filesAfter,
            int filesRetired,
            int filesWritten,
            long bytesRetired,
            long bytesWritten,
            Duration duration,
            @Nullable CdcException error) {}
}
