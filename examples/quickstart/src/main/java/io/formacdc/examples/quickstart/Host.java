package io.formacdc.examples.quickstart;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.FlushReport;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.duckdb.Cdc;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.duckdb.Lake;
import io.formacdc.manifest.CompactionPlan;
import io.formacdc.manifest.FileSchemaRegistry;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.SweepReport;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.s3.S3Client;

/** All that a host writes to use the library: a configuration, an S3 client, the attributes; then one call. */
final class Host implements AutoCloseable {
    /** The cities are few: with files of the usual 256 MB there would be one. */
    private static final CompactionConfig COMPACTION =
            CompactionConfig.builder().targetBaseSizeMb(2).build();

    private final CdcConfig config;
    private final S3Client s3;
    private final SchemaRegistry registry;

    /** @param s3 closed with this */
    Host(CdcConfig config, S3Client s3, Map<String, Integer> schemaIdsByName) {
        this.config = config;
        this.s3 = s3;
        this.registry = FileSchemaRegistry.load(metadataFolder(), schemaIdsByName);
    }

    /** What a scheduled job does, once a minute or so. */
    FlushReport flush() {
        return Cdc.runOnce(config, S3FullClient.of(s3), false, registry);
    }

    /** The same, without writing anything anywhere. */
    FlushReport dryRun() {
        return Cdc.runOnce(config, S3FullClient.of(s3), true, registry);
    }

    /** The same, with someone to tell of the progress. */
    FlushReport flush(CdcListener listener) {
        try (CdcRunner runner = CdcRunner.builder(config)
                .s3Client(S3FullClient.of(s3))
                .registry(registry)
                .listener(listener)
                .build()) {
            return runner.runOnce(false);
        }
    }

    /** What a host does once, for a schema that had rows before; here in the place of deltas that it flushed already. */
    BaseExportReport exportBase(CdcListener listener) {
        try (CdcRunner runner = CdcRunner.builder(config)
                .s3Client(S3FullClient.of(s3))
                .registry(registry)
                .listener(listener)
                .build()) {
            return runner.exportBase(Cities.SCHEMA_ID, BaseExportOptions.DEFAULTS.replacingDeltas());
        }
    }

    /** What a scheduled job does, every ten minutes or so. */
    CompactionReport compact() {
        return Cdc.compact(config, COMPACTION, S3FullClient.of(s3));
    }

    /** The same, with someone to tell of the progress. */
    CompactionReport compact(CdcListener listener) {
        try (CdcRunner runner = CdcRunner.builder(config)
                .s3Client(S3FullClient.of(s3))
                .listener(listener)
                .build()) {
            return runner.compactor(COMPACTION).runOnce();
        }
    }

    /** What that would do, and why. */
    CompactionPlan explainCompaction() {
        try (CdcRunner runner = CdcRunner.create(config, S3FullClient.of(s3), registry)) {
            return runner.compactor(COMPACTION).plan(Cities.SCHEMA_ID);
        }
    }

    /** What a scheduled job does too: objects that are of no use any more go, when no reader can be at them. */
    List<SweepReport> sweep() {
        return Cdc.sweep(config, SweepOptions.DEFAULTS, S3FullClient.of(s3));
    }

    /** What a reader sees that has only the files. */
    Lake lake() {
        return Lake.open(config, S3FullClient.of(s3), Cities.SCHEMA_ID);
    }

    /** What a reader sees that also asks PostgreSQL for the rows not yet flushed. */
    Lake lakeWithDirtyRows() {
        return Lake.openWithDirtyRows(config, S3FullClient.of(s3), Cities.SCHEMA_ID, registry);
    }

    /** The list of the files. */
    Manifest manifest() {
        S3ObjectStore store = new S3ObjectStore(S3FullClient.of(s3), config.s3Bucket());
        ManifestConfig manifests = ManifestConfig.of(config).orElseThrow();
        return new ManifestStore(store, manifests, ManifestStoreOptions.of(config))
                .load(Cities.SCHEMA_ID)
                .manifest();
    }

    private static Path metadataFolder() {
        URL folder = Host.class.getResource("metadata");
        if (folder == null) {
            throw new IllegalStateException("the folder metadata is not on the class path");
        }
        try {
            return Path.of(folder.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(folder + " is no folder", e);
        }
    }

    @Override
    public void close() {
        s3.close();
    }
}
