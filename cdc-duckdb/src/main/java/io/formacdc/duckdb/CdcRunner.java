package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushReport;
import io.formacdc.core.Flusher;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.Transport;
import io.formacdc.manifest.BaseExport;
import io.formacdc.manifest.BucketFileLog;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import io.formacdc.s3.S3Access;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3ObjectStore;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Flushes, and exports, as often as a host wants, and hands out what keeps the files in shape. Thread-safe, and safe
 * beside any number of others in any number of processes. Between two calls it holds no connection, no thread and no
 * file; it owns the S3 client only if it was given none. Once closed, every method throws an {@link
 * IllegalStateException} before it asks anything of PostgreSQL or S3.
 */
public final class CdcRunner implements AutoCloseable {
    /** Fewest connections that every method can do with: one for the lock, one for each of the two tables read at once. */
    public static final int MIN_CONNECTIONS = 3;

    private static final int DEFAULT_CONNECTIONS = 5;

    private final CdcConfig config;
    private final DataSource dataSource;
    private final int maxConnections;
    /** On connections that nobody tracks; each call has its own over it. */
    private final JdbcChangeLogStore changeLog;

    private final S3ObjectClient client;
    private final ObjectStore store;
    private final @Nullable ManifestStore manifests;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final @Nullable S3Client ownClient;
    private volatile boolean closed;

    private CdcRunner(Builder builder) {
        this.config = builder.completeConfig();
        this.dataSource = builder.dataSource != null ? builder.dataSource : PgDataSources.of(config);
        this.maxConnections = builder.maxConnections();
        this.changeLog = new JdbcChangeLogStore(dataSource, config.changeLogTable());
        this.registry = builder.registry;
        this.listener = CdcListener.quiet(builder.listener);
        this.ownClient = builder.s3Client == null ? S3Clients.create(config) : null;
        this.client = ownClient != null ? S3FullClient.of(ownClient) : requireAble(config, builder.s3Client);
        this.store = new S3ObjectStore(client, config.s3Bucket());
        this.manifests = ManifestConfig.of(config)
                .map(kept -> new ManifestStore(store, kept, manifestOptions()))
                .orElse(null);
    }

    /** A runner of this configuration, whose unset fields take their defaults, before {@link Builder#build()}. */
    public static Builder builder(CdcConfig config) {
        return new Builder(requireNonNull(config, "config"));
    }

    /**
     * The short form of {@link #builder}.
     *
     * @param s3Client as for {@link Builder#s3Client}
     * @param registry as for {@link Builder#registry}
     * @throws InvalidConfigException if the configuration cannot work
     */
    public static CdcRunner create(
            CdcConfig config, @Nullable S3ObjectClient s3Client, @Nullable SchemaRegistry registry) {
        return builder(config).s3Client(s3Client).registry(registry).build();
    }

    /**
     * One pass over all schemas; see {@link Cdc#runOnce}.
     *
     * @param dryRun write nothing, and say how many rows and files would be written
     */
    public FlushReport runOnce(boolean dryRun) {
        requireOpen();
        TrackedConnections connections = new TrackedConnections(dataSource, maxConnections);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter builtIn = new PgExporter(config, connections, watch, listener);
                ExtensionExporter extensions = new ExtensionExporter(
                        config, builtIn, client, () -> S3Access.ofDefaultChain(config), UnaryOperator.identity())) {
            SnapshotExporter exporter = config.transport() == Transport.EXTENSIONS ? extensions : builtIn;
            FileLog fileLog = manifests == null ? new BucketFileLog() : new ManifestFileLog(manifests);
            Flusher.Ports ports = new Flusher.Ports(changeLog.over(connections), exporter, store, fileLog);
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
        requireOpen();
        CompactionConfig complete =
                requireNonNull(compaction, "compaction").withDefaults().validate();
        Compactor.Ports ports =
                CompactionTarget.of(config, complete, store, listener).ports(new DuckMerger(config, listener));
        return new Compactor(config, complete, ports, listener, Clock.systemUTC());
    }

    /**
     * A sweeper of the same bucket. Needs no PostgreSQL, and a client that can list. Usable until this is closed.
     *
     * @throws InvalidConfigException if no manifests are configured
     */
    public Sweeper sweeper(SweepOptions options) {
        requireOpen();
        return new Sweeper(store, requireManifests(), config.s3Prefix(), options, Clock.systemUTC());
    }

    /**
     * A reconciler of the same bucket and database. Needs a client that can list. Usable until this is closed.
     *
     * @throws InvalidConfigException if no manifests are configured
     */
    public Reconciler reconciler() {
        requireOpen();
        return new Reconciler(config, dataSource, store, null);
    }

    /** Deletes history of the change log; see {@link Cdc#purgeFlushed}. */
    public long purgeFlushed(int schemaId, Duration olderThan) {
        requireNonNull(olderThan, "olderThan");
        requireOpen();
        ManifestStore listing = requireManifests();
        TrackedConnections connections = new TrackedConnections(dataSource, maxConnections);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel)) {
            ListedObjects listed = new ListedObjects(store, config.s3Prefix());
            return new FlushedPurge(
                            changeLog.over(connections), listing, listed, Clock.systemUTC(), FlushedPurge.BATCH_ROWS)
                    .purge(schemaId, olderThan);
        }
    }

    /** Exports all live rows of a schema as its base; see {@link Cdc#exportBase}. */
    public BaseExportReport exportBase(int schemaId, BaseExportOptions options) {
        requireNonNull(options, "options");
        return withBaseExport(export -> export.run(schemaId, options));
    }

    /** What {@link #exportBase} would do now; see {@link Cdc#planBase}. */
    public BaseExportReport planBase(int schemaId, BaseExportOptions options) {
        requireNonNull(options, "options");
        return withBaseExport(export -> export.plan(schemaId, options));
    }

    private BaseExportReport withBaseExport(Function<BaseExport, BaseExportReport> work) {
        requireOpen();
        ManifestStore listing = requireManifests();
        TrackedConnections connections = new TrackedConnections(dataSource, maxConnections);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter exporter = new PgExporter(config, connections, watch, listener)) {
            BaseExport.Ports ports = new BaseExport.Ports(changeLog.over(connections), exporter, store, listing);
            return work.apply(new BaseExport(config, ports, registry, listener, Clock.systemUTC()));
        }
    }

    /**
     * A schema as a reader sees it that can reach both bucket and PostgreSQL; see {@link Lake#openWithDirtyRows}. What is
     * opened stays usable after this is closed.
     *
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public Lake openLakeWithDirtyRows(int schemaId) {
        requireOpen();
        return Lake.openWithDirtyRows(
                config, new TrackedConnections(dataSource, maxConnections), store, schemaId, registry);
    }

    private ManifestStoreOptions manifestOptions() {
        return ManifestStoreOptions.of(config).toBuilder().listener(listener).build();
    }

    private ManifestStore requireManifests() {
        if (manifests == null) {
            throw new InvalidConfigException(List.of("without manifests nothing says which files are in use;"
                    + " set manifestPrefix or manifestTemplate"));
        }
        return manifests;
    }

    private static S3ObjectClient requireAble(CdcConfig config, @Nullable S3ObjectClient client) {
        if (client == null || client instanceof S3FullClient) {
            return requireNonNull(client, "client");
        }
        if (ManifestConfig.of(config).isPresent()) {
            throw new InvalidConfigException(List.of("the S3 client can copy and delete, but manifests are also got and"
                    + " put; implement S3FullClient, or use S3FullClient.of(S3Client)"));
        }
        if (config.transport() == Transport.BUILT_IN) {
            throw new InvalidConfigException(List.of("the S3 client can copy and delete, but files are also got and"
                    + " put; implement S3FullClient, or use S3FullClient.of(S3Client)"));
        }
        return client;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("this CdcRunner is closed; build another one");
        }
    }

    /** Closes the S3 client, if it is this runner's own. May be called twice. */
    @Override
    public void close() {
        closed = true;
        if (ownClient != null) {
            ownClient.close();
        }
    }

    /** What a host brings along besides its configuration; nothing of it is required. Not thread-safe. */
    public static final class Builder {
        private final CdcConfig config;
        private @Nullable S3ObjectClient s3Client;
        private @Nullable SchemaRegistry registry;
        private CdcListener listener = CdcListener.NONE;
        private @Nullable DataSource dataSource;
        private int maxConnections;
        private boolean filesAlone;

        private Builder(CdcConfig config) {
            this.config = config.withDefaults();
        }

        /**
         * Uses the host's client, which stays the host's to close: an {@link S3FullClient}, unless rows go by {@link
         * Transport#EXTENSIONS} and no manifest is kept.
         *
         * @param client null, as if this were not called, for one from the AWS default chain and the configuration,
         *     closed with the runner
         */
        public Builder s3Client(@Nullable S3ObjectClient client) {
            this.s3Client = client;
            return this;
        }

        /**
         * Exports attributes by their names and types.
         *
         * @param attributes null, as if this were not called, to export every hot column under its own name, and the rest
         *     as a list
         */
        public Builder registry(@Nullable SchemaRegistry attributes) {
            this.registry = attributes;
            return this;
        }

        /** Tells someone of the progress. */
        public Builder listener(CdcListener toldOfProgress) {
            this.listener = requireNonNull(toldOfProgress, "listener");
            return this;
        }

        /**
         * Takes connections from the host, for example from its pool, instead of opening them as {@code pgHost} and the
         * other fields say, which are then not looked at. It stays the host's to close. Its connections must be those of
         * the PostgreSQL driver, or be unwrapped to them, and each a session of its own. All come back, with the
         * autocommit that they came with, in no transaction, without locks and without settings; one that broke, or had to
         * be cut, is closed. DuckDB's extensions cannot use it: with {@link Transport#EXTENSIONS} they connect as the fields
         * say.
         */
        public Builder dataSource(DataSource source) {
            this.dataSource = requireNonNull(source, "dataSource");
            return this;
        }

        /**
         * Takes no more connections at once. 5 if this is not called, where there is a data source; without one, as many as
         * {@code duckThreads} make useful. A pool that has fewer lets a pass wait for a connection that nobody gives back,
         * and the pass fails when the pool's patience ends. A flush has no use
         * for more than {@code 1 + 2 * duckThreads}.
         *
         * @param atOnce at least {@link CdcRunner#MIN_CONNECTIONS}
         * @throws IllegalArgumentException if it is less
         */
        public Builder maxConnections(int atOnce) {
            if (atOnce < MIN_CONNECTIONS) {
                throw new IllegalArgumentException("maxConnections " + atOnce + " is below " + MIN_CONNECTIONS
                        + ": a pass needs one for the lock and one for each of the two tables that it reads at once");
            }
            this.maxConnections = atOnce;
            return this;
        }

        /**
         * A runner. Opens no connection.
         *
         * @throws InvalidConfigException if the configuration cannot work
         */
        public CdcRunner build() {
            return new CdcRunner(this);
        }

        private int maxConnections() {
            if (maxConnections > 0) {
                return maxConnections;
            }
            return dataSource == null ? Integer.MAX_VALUE : DEFAULT_CONNECTIONS;
        }

        /** For calls that do not go to PostgreSQL, so that it need not be configured. */
        Builder filesAlone() {
            this.filesAlone = true;
            return this;
        }

        private CdcConfig completeConfig() {
            boolean neededToConnect = !filesAlone && (dataSource == null || config.transport() == Transport.EXTENSIONS);
            return neededToConnect ? config.validate() : config.validateApartFromPostgres();
        }
    }
}
