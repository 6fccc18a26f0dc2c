package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushReport;
import io.formacdc.core.Flusher;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.manifest.BucketFileLog;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3ObjectStore;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Flushes as often as a host wants, and hands out what keeps the flushed files in shape. Thread-safe, and safe beside any number of others in any number of processes.
 * Between two passes it holds no connection, no thread and no file; it owns the S3 client only if it was given none.
 */
public final class CdcRunner implements AutoCloseable {
    private final CdcConfig config;
    private final DataSource dataSource;
    private final ObjectStore store;
    private final FileLog fileLog;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final @Nullable S3Client ownClient;

    private CdcRunner(
            CdcConfig config,
            @Nullable S3ObjectClient s3Client,
            @Nullable SchemaRegistry registry,
            CdcListener listener) {
        this.config = config.withDefaults().validate();
        this.dataSource = PgDataSources.of(this.config);
        this.registry = registry;
        this.listener = listener;
        this.ownClient = s3Client == null ? S3Clients.create(this.config) : null;
        this.store = new S3ObjectStore(
                ownClient != null ? S3FullClient.of(ownClient) : requireFull(s3Client), this.config.s3Bucket());
        this.fileLog = fileLog(this.config, store);
    }

    /**
     * A runner. Opens no connection.
     *
     * @param s3Client the host's client, an {@link S3FullClient}, which stays the host's to close; null for one from the
     *     AWS default chain and the configuration
     * @param registry null to export every hot column under its own name, and the rest as a list
     * @throws InvalidConfigException if the configuration cannot work
     */
    public static CdcRunner create(
            CdcConfig config, @Nullable S3ObjectClient s3Client, @Nullable SchemaRegistry registry) {
        return create(config, s3Client, registry, CdcListener.NONE);
    }

    /** The same, with someone to tell. */
    public static CdcRunner create(
            CdcConfig config,
            @Nullable S3ObjectClient s3Client,
            @Nullable SchemaRegistry registry,
            CdcListener listener) {
        return new CdcRunner(config, s3Client, registry, listener);
    }

    /**
     * One pass over all schemas; see {@link Cdc#runOnce}.
     *
     * @param dryRun read everything, write nothing
     */
    public FlushReport runOnce(boolean dryRun) {
        TrackedConnections connections = new TrackedConnections(dataSource);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter exporter = new PgExporter(config, connections, watch)) {
            ChangeLogStore changeLog = new JdbcChangeLogStore(connections, config.changeLogTable());
            Flusher.Ports ports = new Flusher.Ports(changeLog, exporter, store, fileLog);
            return new Flusher(config, ports, registry, listener, Clock.systemUTC()).run(dryRun);
        }
    }

    /**
     * A compactor of the same bucket, with the same listener. Needs no PostgreSQL. Usable until this is closed.
     *
     * @param compaction unset fields take their defaults
     * @throws InvalidConfigException if it cannot work, or no manifests are configured
     */
    public Compactor compactor(CompactionConfig compaction) {
        CompactionConfig complete = compaction.withDefaults().validate();
        Compactor.Ports ports = CompactionTarget.of(config, complete, store).ports(new DuckMerger(config));
        return new Compactor(config, complete, ports, listener, Clock.systemUTC());
    }

    /**
     * A sweeper of the same bucket. Needs no PostgreSQL, and a client that can list. Usable until this is closed.
     *
     * @throws InvalidConfigException if no manifests are configured
     */
    public Sweeper sweeper(SweepOptions options) {
        ManifestStore manifests = CompactionTarget.manifests(config, store, ManifestStoreOptions.of(config));
        return new Sweeper(store, manifests, config.s3Prefix(), options, Clock.systemUTC());
    }

    /** Deletes history of the change log; see {@link Cdc#purgeFlushed}. */
    public long purgeFlushed(int schemaId, Duration olderThan) {
        ManifestStore manifests = manifests(config, store)
                .orElseThrow(() -> new InvalidConfigException(List.of("a purge deletes only what a manifest covers; set"
                        + " manifestPrefix or manifestTemplate to those of the flushes")));
        TrackedConnections connections = new TrackedConnections(dataSource);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel)) {
            JdbcChangeLogStore changeLog = new JdbcChangeLogStore(connections, config.changeLogTable());
            ListedObjects listed = new ListedObjects(store, config.s3Prefix());
            return new FlushedPurge(changeLog, manifests, listed, Clock.systemUTC(), FlushedPurge.BATCH_ROWS)
                    .purge(schemaId, olderThan);
        }
    }

    private static FileLog fileLog(CdcConfig config, ObjectStore store) {
        Optional<ManifestStore> manifests = manifests(config, store);
        return manifests.isEmpty() ? new BucketFileLog() : new ManifestFileLog(manifests.get());
    }

    private static Optional<ManifestStore> manifests(CdcConfig config, ObjectStore store) {
        return ManifestConfig.of(config)
                .map(manifests -> new ManifestStore(store, manifests, ManifestStoreOptions.of(config)));
    }

    private static S3FullClient requireFull(@Nullable S3ObjectClient client) {
        if (client instanceof S3FullClient full) {
            return full;
        }
        throw new InvalidConfigException(List.of("the S3 client can copy and delete, but a flush also gets and puts;"
                + " implement S3FullClient, or use S3FullClient.of(S3Client)"));
    }

    /** Closes the S3 client, if it is this runner's own. */
    @Override
    public void close() {
        if (ownClient != null) {
            ownClient.close();
        }
    }
}
