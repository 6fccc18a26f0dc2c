package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.FlushReport;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.SweepReport;
import io.formacdc.manifest.Sweeper;
import io.formacdc.s3.S3ObjectClient;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The library in one call. A host that calls often, or wants to hear of progress, keeps a {@link CdcRunner}. */
public final class Cdc {
    private Cdc() {}

    /**
     * Flushes every schema whose dirty rows are many or old enough: exports them to Parquet, puts the files into the
     * bucket, lists them in the schema's manifest, and marks exactly the exported versions flushed. What was dirty when
     * a schema is begun is flushed when its part of the report says so; later rows wait for the next pass.
     *
     * <p>Whatever fails, and whenever, the next pass repairs it: rows not marked are exported again, and readers see each
     * row once. Schemas are independent: one that fails does not keep the others from being flushed.
     *
     * @param config unset fields take their defaults
     * @param s3Client the host's client, an {@link io.formacdc.s3.S3FullClient}; null for one from the AWS default chain
     *     and the configuration, closed before this returns
     * @param dryRun read everything, write nothing anywhere, and report what would be written
     * @param registry what the host knows of its attributes; null to export every hot column under its own name, and the
     *     rest as a list
     * @return what was done, schema by schema
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     * @throws io.formacdc.core.SchemaFlushException after all schemas, if some failed; it carries the report
     * @throws io.formacdc.core.DatabaseException if PostgreSQL cannot be reached
     * @throws io.formacdc.core.CdcInterruptedException if the calling thread was interrupted; it carries the report
     */
    public static FlushReport runOnce(
            CdcConfig config, @Nullable S3ObjectClient s3Client, boolean dryRun, @Nullable SchemaRegistry registry) {
        try (CdcRunner runner = CdcRunner.create(config, s3Client, registry)) {
            return runner.runOnce(dryRun);
        }
    }

    /**
     * Compacts the schemas that the configuration names, once; see {@link Compactor}. Needs no PostgreSQL, takes no lock
     * and stops no flush.
     *
     * @param config as flushes use it
     * @param compaction unset fields take their defaults
     * @param s3Client as in {@link #runOnce}; to compact all schemas it must be able to list
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     * @throws io.formacdc.core.SchemaCompactionException after all schemas, if some failed; it carries the report
     * @throws io.formacdc.core.CdcInterruptedException if the calling thread was interrupted
     */
    public static CompactionReport compact(
            CdcConfig config, CompactionConfig compaction, @Nullable S3ObjectClient s3Client) {
        try (CdcRunner runner = CdcRunner.create(config, s3Client, null)) {
            return runner.compactor(compaction).runOnce();
        }
    }

    /**
     * Deletes objects that are of no use any more, of every schema that has a manifest, once; see {@link Sweeper}.
     *
     * @param config as flushes use it
     * @param s3Client as in {@link #runOnce}; it must be able to list
     * @return what was done, schema by schema
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     */
    public static List<SweepReport> sweep(CdcConfig config, SweepOptions options, @Nullable S3ObjectClient s3Client) {
        try (CdcRunner runner = CdcRunner.create(config, s3Client, null)) {
            return runner.sweeper(options).sweep();
        }
    }
}
