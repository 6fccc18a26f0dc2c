package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.SnapshotExporter.Exported;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.CompactionLoop;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.s3.S3Client;

/** Fields of the two configurations that no other test would miss. {@link FieldsTest} lists them all. */
class FieldsIT {
    private static final int SCHEMA = 7;

    @TempDir
    private Path folder;

    private TestHost host;
    private Entities entities;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        entities = new Entities(host, SCHEMA);
    }

    @AfterEach
    void stop() throws SQLException {
        host.close();
    }

    private void flush(CdcConfig config) {
        assertThat(Cdc.runOnce(config, host.client, false, Entities.REGISTRY)
                        .schema(SCHEMA)
                        .orElseThrow()
                        .outcome())
                .isEqualTo(Outcome.FLUSHED);
    }

    private String object(String key) {
        return new String(host.store().get(key).content(), StandardCharsets.UTF_8);
    }

    @Test
    void tablesMayHaveOtherNames() throws SQLException {
        entities.insertMany(5);
        host.sql("CREATE SCHEMA \"ten'ant\"");
        host.sql("ALTER TABLE change_log RENAME TO \"Change Log\"");
        host.sql("ALTER TABLE \"Change Log\" SET SCHEMA \"ten'ant\"");
        host.sql("ALTER TABLE entity_main RENAME TO main2");
        host.sql("ALTER TABLE eav_data RENAME TO eav2");
        flush(host.config()
                .changeLogTable("ten'ant.Change Log")
                .entityMainTable("main2")
                .eavDataTable("eav2")
                .build());
        try (Lake lake = host.lake(SCHEMA)) {
            assertThat(Entities.rows(lake.connection(), "SELECT count(note) FROM lake"))
                    .containsExactly("5");
        }
        assertThat(host.count("SELECT count(*) FROM \"ten'ant\".\"Change Log\" WHERE flushed_at > 0"))
                .isEqualTo(5);
    }

    @Test
    void everyCallFindsTablesOfOtherNames() throws SQLException {
        entities.insertMany(5);
        host.sql("ALTER TABLE change_log RENAME TO log2");
        host.sql("ALTER TABLE entity_main RENAME TO main2");
        host.sql("ALTER TABLE eav_data RENAME TO eav2");
        CdcConfig config = host.config()
                .changeLogTable("log2")
                .entityMainTable("main2")
                .eavDataTable("eav2")
                .build();
        try (DuckExporter exporter = DuckExporter.open(config, host.client)) {
            List<UUID> ids = List.of(entities.id(1), entities.id(2));
            String file = folder.resolve("by-hand.parquet").toString();
            assertThat(exporter.exportSnapshotToTmp(
                                    host.connectionString(), file, SCHEMA, Long.MAX_VALUE, ids, Entities.ATTRIBUTES)
                            .rowCount())
                    .isEqualTo(2);
        }
        flush(config.toBuilder().batchSize(3).build());
        new BrokenLake(host, folder).unlist(host.listedKeys(SCHEMA).get(0));
        ReconcileReport lost = Cdc.reconcile(config, host.client, SCHEMA, ReconcileReport.Depth.CONTENTS);
        assertThat(lost.isClean()).isFalse();
        Cdc.repair(config, host.client, SCHEMA);
        assertThat(host.listedKeys(SCHEMA)).hasSize(2);
        assertThat(Cdc.exportBase(
                                config,
                                host.client,
                                SCHEMA,
                                BaseExportOptions.DEFAULTS.replacingDeltas(),
                                Entities.REGISTRY)
                        .rows())
                .isEqualTo(5);
    }

    @Test
    void duckDbWorksInTheNamedFile() throws SQLException {
        entities.insertMany(5);
        Path database = folder.resolve("work.duckdb");
        flush(host.config().duckDbPath(database.toString()).build());
        assertThat(database).isNotEmptyFile();
    }

    @Test
    void duckDbHasTheThreadsAndTheMemoryOfTheConfiguration() throws SQLException {
        CdcConfig config = host.config()
                .duckThreads(3)
                .duckMemLimit("123MiB")
                .spillDirectory(folder.toString())
                .build()
                .withDefaults();
        try (DuckSession session = DuckSession.open(config)) {
            assertThat(TestHost.rows(
                            session.connection(),
                            "SELECT current_setting('threads'), current_setting('memory_limit'),"
                                    + " current_setting('temp_directory')"))
                    .containsExactly(List.of("3", "123.0 MiB", session.folder().toString()));
            assertThat(session.folder().getParent()).isEqualTo(folder);
        }
    }

    /** What opens the same file in the same process sees the settings of the export. */
    @Test
    void filesExportedAtOnceHaveTheThreadsOfTheConfigurationEach() throws SQLException {
        String database = folder.resolve("work.duckdb").toString();
        CdcConfig config =
                host.config().duckThreads(3).duckDbPath(database).build().withDefaults();
        try (InterruptWatch watch = InterruptWatch.open();
                PgExporter exporter =
                        new PgExporter(config, new TrackedConnections(host.postgres.dataSource()), watch);
                LiveSnapshot snapshot = exporter.openLiveSnapshot(SCHEMA, Entities.ATTRIBUTES, 2);
                Connection same = DriverManager.getConnection("jdbc:duckdb:" + database)) {
            assertThat(snapshot.lastRowId()).isNull();
            assertThat(Entities.rows(same, "SELECT current_setting('threads')")).containsExactly("6");
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 9999, 1", "3, 10000, 1", "3, 20000, 2", "3, 90000, 3"})
    void aFlushHasAThreadForEachTenThousandRowsOfItsChunks(int duckThreads, int batchSize, String expected)
            throws SQLException {
        String database = folder.resolve("work.duckdb").toString();
        CdcConfig config = host.config()
                .duckThreads(duckThreads)
                .batchSize(batchSize)
                .duckDbPath(database)
                .build()
                .withDefaults();
        new Entities(host, SCHEMA).insertMany(1);
        try (InterruptWatch watch = InterruptWatch.open();
                PgExporter exporter =
                        new PgExporter(config, new TrackedConnections(host.postgres.dataSource()), watch);
                SnapshotExporter.Snapshot snapshot = exporter.openSnapshot(SCHEMA, Entities.ATTRIBUTES);
                Exported file = snapshot.export(
                        requireNonNull(snapshot.selectChunk(null, requireNonNull(snapshot.lastRowId()), 10)),
                        rows -> {});
                Connection same = DriverManager.getConnection("jdbc:duckdb:" + database)) {
            assertThat(file.contents().rowCount()).isEqualTo(1);
            assertThat(Entities.rows(same, "SELECT current_setting('threads')")).containsExactly(expected);
        }
    }

    @Test
    void aMergeHasNoMoreThreadsThanItsMemoryIsEnoughFor() throws SQLException {
        long before = ProcessMemory.threads();
        CdcConfig config =
                TestMerge.config(folder).duckThreads(64).duckMemLimit("256MB").build();
        try (TestMerge merge = new TestMerge(config)) {
            merge.loose("delta", "1, 1, 0, 'x'");
            assertThat(ProcessMemory.threads()).isLessThan(before + 32);
        }
    }

    @Test
    void spillDirectoryIsWhereFilesAreWritten() throws Exception {
        entities.insertMany(5);
        Path file = Files.createFile(folder.resolve("file"));
        assertNoSpillFolder(file, file + " is no folder");
        assertNoSpillFolder(file.resolve("below"), file.resolve("below") + ": Not a directory");
        assertNoSpillFolder(Path.of("/proc/x"), "there is no /proc/x, and it cannot be created");
        // Nothing is forbidden to a superuser.
        assertThat(DuckSession.reason(new AccessDeniedException("/x"))).isEqualTo("no permission to write /x");
    }

    private void assertNoSpillFolder(Path spill, String reason) {
        assertThatThrownBy(() ->
                        flush(host.config().spillDirectory(spill.toString()).build()))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("no spill folder could be made in \"" + spill + "\" (spillDirectory): " + reason);
    }

    @Test
    void higherLevelCompressesMore() throws SQLException {
        entities.insertMany(20_000);
        // One thread, or chance decides which rows stand side by side.
        CdcConfig config = host.config().batchSize(20_000).duckThreads(1).build();
        long[] bytes = new long[2];
        for (int i = 0; i < 2; i++) {
            host.sql("UPDATE change_log SET flushed_at = 0");
            bytes[i] = Cdc.runOnce(
                            config.toBuilder()
                                    .parquetCompressionLevel(i == 0 ? 1 : 19)
                                    .build(),
                            host.client,
                            false,
                            Entities.REGISTRY)
                    .schema(SCHEMA)
                    .orElseThrow()
                    .bytes();
        }
        assertThat(bytes[1]).isLessThan(bytes[0] * 95 / 100);
    }

    @Test
    void manifestsAreKeptWhereAndAsTheConfigurationSays() throws SQLException {
        entities.insertMany(5);
        CdcConfig config = host.config()
                .s3Prefix(host.key("data"))
                .manifestPrefix(host.key("lists"))
                .manifestTemplate("of/{{.SchemaID}}/list.json")
                .manifestForm(ManifestForm.FILES)
                .build();
        flush(config);
        assertThat(object(host.key("lists/of/7/list.json"))).contains("\"files\"", "\"tier\"");
        assertThat(host.dataKeys()).hasSize(1).allMatch(key -> key.startsWith(host.key("data/7/")));
        assertThat(Cdc.sweep(config, SweepOptions.DEFAULTS, host.client))
                .singleElement()
                .satisfies(sweep -> assertThat(sweep.refusal()).isNull());
    }

    @Test
    void storeThatIgnoresConditionsIsAcceptedForOneWriter() throws SQLException {
        entities.insertMany(5);
        try (LocalS3 lossy = LocalS3.startLossy();
                S3Client sdk = S3Clients.create(
                        CdcConfig.builder()
                                .s3Endpoint(lossy.endpoint().toString())
                                .s3UsePath(true)
                                .build(),
                        lossy.accessKey(),
                        lossy.secretKey())) {
            CdcConfig config = host.config()
                    .s3Bucket(lossy.bucket())
                    .singleWriterStore(true)
                    .build();
            Cdc.runOnce(config, S3FullClient.of(sdk), false, Entities.REGISTRY);
        }
        assertThat(entities.dirty()).isEmpty();
    }

    @Test
    void baseFilesHaveNoMoreRowsThanMaxBatchSize() throws SQLException {
        entities.insertMany(3_000);
        CdcConfig config = host.config().maxBatchSize(1_000).build();
        assertThat(Cdc.exportBase(config, host.client, SCHEMA, BaseExportOptions.DEFAULTS, Entities.REGISTRY)
                        .keys())
                .hasSize(3);
    }

    @Test
    void compactionOfOneSchemaLeavesTheOthers() throws SQLException {
        entities.insertMany(5);
        new Entities(host, 8).insertMany(5);
        flush(host.config().build());
        CompactionConfig one = CompactionConfig.builder().schemaId(8).build();
        assertThat(Cdc.compact(host.config().build(), one, host.client).schemas())
                .extracting(SchemaCompaction::schemaId)
                .containsExactly(8);
    }

    @Test
    void retriesAndPausesOfACompactionAreThoseOfItsSaves() {
        CompactionConfig compaction = CompactionConfig.builder()
                .maxRetries(9)
                .baseBackoff(Duration.ofMillis(7))
                .maxBackoff(Duration.ofMillis(70))
                .build();
        ManifestStoreOptions options = ManifestStoreOptions.of(host.config().build(), compaction);
        assertThat(options.maxRetries()).isEqualTo(9);
        assertThat(options.baseBackoff()).isEqualTo(Duration.ofMillis(7));
        assertThat(options.maxBackoff()).isEqualTo(Duration.ofMillis(70));
    }

    @Test
    void filesMoveSideBySideUpToMaxParallelFiles() throws Exception {
        entities.insertMany(30);
        flush(host.config().batchSize(10).build());
        CyclicBarrier three = new CyclicBarrier(3);
        Set<String> met = ConcurrentHashMap.newKeySet();
        ObjectStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().equals("download") && met.add(request.key())) {
                    try {
                        three.await(20, TimeUnit.SECONDS);
                    } catch (Exception e) {
                        throw new CdcException("three files were not fetched at once", e);
                    }
                }
            }
        });
        compactor(
                        store,
                        CompactionConfig.builder()
                                .schemaId(SCHEMA)
                                .maxParallelFiles(3)
                                .build(),
                        CdcListener.NONE)
                .runOnce();
        assertThat(met).hasSize(3);
    }

    @Test
    void filesMoveOneByOneWhereMaxParallelFilesIsOne() throws Exception {
        entities.insertMany(30);
        flush(host.config().batchSize(10).build());
        AtomicInteger fetched = new AtomicInteger();
        AtomicBoolean together = new AtomicBoolean();
        CountDownLatch second = new CountDownLatch(1);
        ObjectStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (!request.name().equals("download")) {
                    return;
                }
                if (fetched.incrementAndGet() > 1) {
                    second.countDown();
                    return;
                }
                try {
                    together.set(second.await(1, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new CdcException("interrupted", e);
                }
            }
        });
        CompactionConfig oneByOne =
                CompactionConfig.builder().schemaId(SCHEMA).maxParallelFiles(1).build();
        compactor(store, oneByOne, CdcListener.NONE).runOnce();
        assertThat(together.get()).isFalse();
        assertThat(fetched.get()).isEqualTo(3);
    }

    @Test
    void loopRunsAtTheIntervalOfItsConfiguration() throws Exception {
        entities.insertMany(5);
        flush(host.config().build());
        CountDownLatch twice = new CountDownLatch(2);
        CdcListener listener = new CdcListener() {
            @Override
            public void compactionFinished(SchemaCompaction compaction) {
                twice.countDown();
            }
        };
        CompactionConfig often = CompactionConfig.builder()
                .schemaId(SCHEMA)
                .runInterval(Duration.ofMillis(5))
                .build();
        try (CompactionLoop loop = CompactionLoop.start(compactor(host.store(), often, listener))) {
            assertThat(twice.await(20, TimeUnit.SECONDS)).isTrue();
        }
        CompactionConfig never = CompactionConfig.builder().schemaId(SCHEMA).build();
        assertThatThrownBy(() -> CompactionLoop.start(compactor(host.store(), never, listener)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("runInterval");
    }

    private Compactor compactor(ObjectStore store, CompactionConfig compaction, CdcListener listener) {
        CdcConfig config = host.config().build().withDefaults();
        CompactionConfig complete = compaction.withDefaults().validate();
        return new Compactor(
                config,
                complete,
                CompactionTarget.of(config, complete, store).ports(new DuckMerger(config)),
                listener,
                Clock.systemUTC());
    }
}
