package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushReport;
import io.formacdc.core.Flusher;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.manifest.BucketFileLog;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Access;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3ObjectStore;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A flush by DuckDB's extensions, as {@link CdcRunner} wires it, with something around DuckDB.
 *
 * @param aroundDuckDb as {@link ExtensionExporter} takes it
 */
record ExtensionFlush(TestHost host, CdcConfig config, S3ObjectClient client, UnaryOperator<Connection> aroundDuckDb) {
    FlushReport run(@Nullable SchemaRegistry registry) {
        return run(registry, false);
    }

    FlushReport run(@Nullable SchemaRegistry registry, boolean dryRun) {
        CdcConfig complete = config.withDefaults().validate();
        TrackedConnections connections = new TrackedConnections(PgDataSources.of(complete));
        S3ObjectStore store = new S3ObjectStore(client, complete.s3Bucket());
        FileLog fileLog = ManifestConfig.of(complete)
                .<FileLog>map(manifests -> new ManifestFileLog(new ManifestStore(
                        store,
                        manifests,
                        ManifestStoreOptions.of(complete).toBuilder()
                                .baseBackoff(Duration.ofMillis(1))
                                .build())))
                .orElseGet(BucketFileLog::new);
        S3Access access =
                S3Access.of(complete, TestHost.s3().accessKey(), TestHost.s3().secretKey());
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter selection = new PgExporter(complete, connections, watch);
                ExtensionExporter exporter =
                        new ExtensionExporter(complete, selection, client, () -> access, aroundDuckDb)) {
            Flusher.Ports ports = new Flusher.Ports(
                    new JdbcChangeLogStore(connections, complete.changeLogTable()), exporter, store, fileLog);
            return new Flusher(complete, ports, registry, CdcListener.NONE, Clock.systemUTC()).run(dryRun);
        }
    }
}
