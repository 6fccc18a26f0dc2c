package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
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
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The library in one call. A host that calls often, or wants to hear of progress, keeps a {@link CdcRunner}. Null where it
 * is not allowed is a {@link NullPointerException} that names the argument, and a schema id outside 1..32767 an {@link
 * IllegalArgumentException}; nothing was opened then. A row of the change log with such an id fails its schema alone.
 */
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
     * @param dryRun write nothing anywhere and take no lock: load the manifests, hold the attributes against the tables'
     *     columns, make sure that the role may mark, count the rows and files that would be written, and load DuckDB's
     *     extensions if the transport wants them. No value is read, so the report has no bytes and no lossy casts
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
     * @param config as flushes use it; what says how to reach PostgreSQL may be missing
     * @param compaction unset fields take their defaults
     * @param s3Client as in {@link #runOnce}; to compact all schemas it must be able to list
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     * @throws io.formacdc.core.SchemaCompactionException after all schemas, if some failed; it carries the report
     * @throws io.formacdc.core.CdcInterruptedException if the calling thread was interrupted
     */
    public static CompactionReport compact(
            CdcConfig config, CompactionConfig compaction, @Nullable S3ObjectClient s3Client) {
        requireNonNull(compaction, "compaction");
        try (CdcRunner runner =
                CdcRunner.builder(config).s3Client(s3Client).filesAlone().build()) {
            return runner.compactor(compaction).runOnce();
        }
    }

    /**
     * Exports all live rows of a schema, read at one instant, as base files of about {@code targetFileSizeMb} side by side
     * in row-id order, several at once, and lists them in one save in the place of what was listed. The objects taken off
     * the list stay in the bucket, listed as retired. The change log is not touched.
     *
     * <p>Writers and readers may go on meanwhile; flushes of the schema are skipped, and would be fenced. An export that
     * failed leaves the manifest as it was. Started again, it uses what it had finished, as far as that is still what it
     * would export; see {@link io.formacdc.manifest.BaseExport}.
     *
     * @param config unset fields take their defaults; manifests must be kept
     * @param s3Client as in {@link #runOnce}
     * @param registry as in {@link #runOnce}
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     * @throws io.formacdc.core.SchemaLockedException if a flush or an export of the schema is under way elsewhere
     * @throws io.formacdc.core.ExportRefusedException if deltas are listed and {@code options} do not replace them, or
     *     files of unknown tiers; no row was read
     * @throws io.formacdc.core.FencedException if a flush has listed files meanwhile; nothing was listed
     * @throws io.formacdc.core.CommitStateUnknownException if the new base may or may not be listed
     * @throws io.formacdc.core.CdcInterruptedException if the calling thread was interrupted; nothing was listed
     * @throws io.formacdc.core.CdcException if anything else failed; nothing was listed
     */
    public static BaseExportReport exportBase(
            CdcConfig config,
            @Nullable S3ObjectClient s3Client,
            int schemaId,
            BaseExportOptions options,
            @Nullable SchemaRegistry registry) {
        requireNonNull(options, "options");
        try (CdcRunner runner = CdcRunner.create(config, s3Client, registry)) {
            return runner.exportBase(schemaId, options);
        }
    }

    /**
     * What {@link #exportBase} would do now: the same refusals, but for the lock, which is not asked for. Counts the live
     * rows, and exports the first ten thousand to a temporary file, to see how large they are; writes nothing else.
     */
    public static BaseExportReport planBase(
            CdcConfig config,
            @Nullable S3ObjectClient s3Client,
            int schemaId,
            BaseExportOptions options,
            @Nullable SchemaRegistry registry) {
        requireNonNull(options, "options");
        try (CdcRunner runner = CdcRunner.create(config, s3Client, registry)) {
            return runner.planBase(schemaId, options);
        }
    }

    /**
     * Deletes flushed rows of a schema from the change log, where they are history that no flush reads: those flushed
     * longer ago than a time, and before the last save of a manifest that was verified first. Every listed object must be
     * in its place with the listed size; otherwise nothing is deleted. Dirty rows stay, and so does what was flushed after
     * the last save, because a manifest that was put back to an earlier state does not list it.
     *
     * <p>Works in small transactions, waits for no writer and takes no lock on the schema: it may run beside flushes, and
     * again after a failure. What was deleted until then stays deleted.
     *
     * @param config unset fields take their defaults; must name the manifests of the flushes
     * @param s3Client the host's client, an {@link io.formacdc.s3.S3ListingClient} too, as {@link
     *     io.formacdc.s3.S3FullClient#of} gives it; null for one from the AWS default chain and the configuration, closed
     *     before this returns
     * @param olderThan positive
     * @return rows deleted
     * @throws IllegalArgumentException for a time that is not positive
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work, or names no manifests
     * @throws io.formacdc.core.InvalidManifestException if the manifest cannot be used; nothing was deleted
     * @throws io.formacdc.core.CdcException if there is no manifest, or it lists nothing, or a listed object is missing or
     *     has another size, which the message names; nothing was deleted
     * @throws io.formacdc.core.DatabaseException if PostgreSQL fails
     * @throws io.formacdc.core.CdcInterruptedException if the calling thread was interrupted
     */
    public static long purgeFlushed(
            CdcConfig config, @Nullable S3ObjectClient s3Client, int schemaId, Duration olderThan) {
        requireNonNull(olderThan, "olderThan");
        try (CdcRunner runner = CdcRunner.create(config, s3Client, null)) {
            return runner.purgeFlushed(schemaId, olderThan);
        }
    }

    /**
     * Deletes objects that are of no use any more, of every schema that has a manifest, once; see {@link Sweeper}. Needs
     * no PostgreSQL.
     *
     * @param config as flushes use it; what says how to reach PostgreSQL may be missing
     * @param s3Client as in {@link #runOnce}; it must be able to list
     * @return what was done, schema by schema
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work; nothing was opened
     */
    public static List<SweepReport> sweep(CdcConfig config, SweepOptions options, @Nullable S3ObjectClient s3Client) {
        requireNonNull(options, "options");
        try (CdcRunner runner =
                CdcRunner.builder(config).s3Client(s3Client).filesAlone().build()) {
            return runner.sweeper(options).sweep();
        }
    }

    /**
     * Compares the manifest of a schema with the bucket and with PostgreSQL, and changes nothing; see {@link
     * Reconciler#check}.
     *
     * @param s3Client as for {@link #purgeFlushed}
     */
    public static ReconcileReport reconcile(
            CdcConfig config, @Nullable S3ObjectClient s3Client, int schemaId, ReconcileReport.Depth depth) {
        requireNonNull(depth, "depth");
        try (Reconciler reconciler = Reconciler.create(config, s3Client)) {
            return reconciler.check(schemaId, depth);
        }
    }

    /**
     * Lists rows that were flushed to an object which is not listed, where that is safe; see {@link Reconciler#repair}.
     *
     * @param s3Client as for {@link #purgeFlushed}
     */
    public static RepairReport repair(CdcConfig config, @Nullable S3ObjectClient s3Client, int schemaId) {
        try (Reconciler reconciler = Reconciler.create(config, s3Client)) {
            return reconciler.repair(schemaId);
        }
    }
}
