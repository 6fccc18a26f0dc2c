package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportOptions.ExistingDeltas;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.BaseExportReport.Outcome;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.Progress;
import io.formacdc.core.SchemaLock;
import io.formacdc.core.SchemaLockedException;
import io.formacdc.core.UuidV7;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.RetiredFile;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class BaseExportIT {
    private static final BaseExportOptions TWO_AT_ONCE = new BaseExportOptions(ExistingDeltas.REFUSE, 2);
    private static final int ENTITIES = 12_000;

    @TempDir
    private Path spill;

    private TestHost host;
    private CdcConfig config;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        config = host.config()
                .spillDirectory(spill.toString())
                .maxBatchSize(2_000)
                .build();
    }

    @AfterEach
    void stop() throws SQLException {
        host.close();
    }

    @Test
    void baseEqualsPostgresAndStaysSoThroughChangesFlushesAndAnotherExport() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(ENTITIES);

        BaseExportReport report = export(TWO_AT_ONCE);

        assertThat(report.rows()).isEqualTo(ENTITIES);
        assertThat(report.files()).isEqualTo(6);
        assertThat(entities.dirty()).hasSize(ENTITIES);
        entities.assertViewEqualsPostgres(config);
        assertBoundsAreTrue();
        Leftovers.assertNone(host, spill);

        host.flush(Entities.REGISTRY);
        entities.assertLakeEqualsPostgres(config);

        long version = Entities.FIRST_VERSION + 100_000;
        for (int n = 1; n < 400; n++) {
            if (n % 3 == 0) {
                entities.delete(host.connection, entities.id(n), version + n);
            } else {
                entities.update(host.connection, entities.id(n), version + n);
            }
        }
        entities.insert(host.connection, new java.util.UUID(5, 5), version);
        entities.assertViewEqualsPostgres(config);
        host.flush(Entities.REGISTRY);
        entities.assertLakeEqualsPostgres(config);

        List<String> before = host.listedKeys(7);
        assertThat(export(TWO_AT_ONCE.replacingDeltas()).filesRetired()).isEqualTo(before.size());
        entities.assertLakeEqualsPostgres(config);
        assertThat(manifest().delta()).isEmpty();
        assertThat(manifest().retired()).extracting(RetiredFile::key).containsExactlyInAnyOrderElementsOf(before);
        assertThat(host.dataKeys()).containsAll(before).allMatch(key -> !key.contains("/_tmp/"));
    }

    @Test
    void valuesOfEveryKindComeThrough() throws SQLException {
        RandomEntities entities = new RandomEntities(host.connection, 20261123);
        entities.churn(600, 200);

        Cdc.exportBase(config, host.client, 7, BaseExportOptions.DEFAULTS, RandomEntities.REGISTRY);

        try (Lake lake = host.lake(7)) {
            assertThat(RandomEntities.inLake(lake)).isEqualTo(entities.inPostgres());
        }
    }

    @Test
    void filesOfRowsOfAllSizesComeOutNearTheTarget() throws SQLException {
        // 1 to 40 blocks of 16 random bytes in hexadecimal, on average twice as many at the end as at the beginning.
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at, text_01)"
                        + " SELECT 7, lpad(to_hex(n), 32, '0')::uuid, n, n, (SELECT string_agg(md5(n || '-' || i), '') FROM"
                        + " generate_series(1, 1 + (n * 7919 % 20 * (1 + n / 60000.0))::int) i)"
                        + " FROM generate_series(1, 60000) n");
        AtomicInteger most = new AtomicInteger();
        CdcConfig ofOneMegabyte =
                config.toBuilder().targetFileSizeMb(1).maxBatchSize(0).build();

        BaseExportReport plan = Cdc.planBase(ofOneMegabyte, host.client, 7, BaseExportOptions.DEFAULTS, null);
        BaseExportReport report = withListener(
                        ofOneMegabyte, rows -> most.accumulateAndGet(writingThreads(), Math::max))
                .exportBase(7, new BaseExportOptions(ExistingDeltas.REFUSE, 3));

        List<ManifestEntry> files = manifest().entries();
        assertThat(files).hasSizeGreaterThan(8).hasSize(report.files());
        assertThat(files.subList(0, files.size() - 1))
                .extracting(file -> String.valueOf(file.sizeBytes()))
                .allSatisfy(size -> assertThat(Long.parseLong(size)).isBetween(600_000L, 1_500_000L));
        assertThat(report.bytes())
                .isEqualTo(files.stream().mapToLong(ManifestEntry::sizeBytes).sum());
        assertThat(plan.rows()).isEqualTo(60_000);
        assertThat(most.get()).isGreaterThan(1);
        assertBoundsAreTrue();
        System.out.println("BaseExportIT: sizes "
                + files.stream().map(ManifestEntry::sizeBytes).toList() + ", planned " + plan.bytes());
    }

    /** Workers whose file is being written by DuckDB. */
    private static int writingThreads() {
        return (int) Thread.getAllStackTraces().values().stream()
                .filter(stack -> java.util.Arrays.stream(stack)
                        .anyMatch(frame -> frame.getClassName().equals(ParquetWriter.class.getName())))
                .count();
    }

    @Test
    void baseIsOfOneInstantWhateverIsWrittenMeanwhile() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(ENTITIES);
        AtomicInteger updates = new AtomicInteger();
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            writer.setAutoCommit(false);
            // Every transaction gives all entities the next version.
            BaseExportReport report = withListener(config, rows -> {
                        entities.updateAll(writer);
                        writer.commit();
                        updates.incrementAndGet();
                    })
                    .exportBase(7, TWO_AT_ONCE);
            assertThat(report.rows()).isEqualTo(ENTITIES);
        }

        assertThat(updates.get()).isGreaterThan(4);
        try (Lake lake = host.lake(7)) {
            assertThat(TestHost.column(lake.connection(), "SELECT DISTINCT changed_at - ltbase_created_at FROM lake"))
                    .hasSize(1);
            assertThat(TestHost.column(
                            lake.connection(),
                            "SELECT count(*) FROM lake WHERE (title, note, amount, total) IS DISTINCT FROM"
                                    + " ('t' || changed_at, 't' || changed_at, changed_at, changed_at)"))
                    .containsExactly("0");
        }
        entities.assertViewEqualsPostgres(config);
        host.flush(Entities.REGISTRY);
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void deltasAreRefusedUntilTheyMayBeReplaced() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(10);
        host.flush(Entities.REGISTRY);
        List<String> deltas = host.listedKeys(7);
        List<String> objects = host.objects().stream().map(Object::toString).toList();

        assertThatThrownBy(() -> export(BaseExportOptions.DEFAULTS))
                .isInstanceOf(ExportRefusedException.class)
                .hasMessageContaining("schema 7, look at what is listed: 1 delta is listed already; ");
        assertThatThrownBy(() -> Cdc.planBase(config, host.client, 7, BaseExportOptions.DEFAULTS, Entities.REGISTRY))
                .isInstanceOf(ExportRefusedException.class);
        assertThat(host.objects().stream().map(Object::toString)).isEqualTo(objects);

        export(BaseExportOptions.DEFAULTS.replacingDeltas());

        entities.assertLakeEqualsPostgres(config);
        assertThat(host.listedKeys(7)).hasSize(1).doesNotContainAnyElementsOf(deltas);
        assertThat(host.dataKeys()).containsAll(deltas);
    }

    @Test
    void flushThatCameBetweenFencesTheExport() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(ENTITIES);
        FlushedFile late = new FlushedFile(
                config.s3Prefix() + "/7/" + UuidV7.next() + ".parquet",
                new FileContents(0, 1, "sha256:", null, null, Map.of()));
        CdcListener listener = new CdcListener() {
            @Override
            public void exportStarted(int schemaId, long liveRows) {
                new ManifestFileLog(manifests()).open(7).append(late);
            }
        };

        try (CdcRunner runner = runner(config, listener)) {
            assertThatThrownBy(() -> runner.exportBase(7, TWO_AT_ONCE)).isInstanceOf(FencedException.class);
        }

        assertThat(host.listedKeys(7)).containsExactly(late.key());
        assertThat(entities.dirty()).hasSize(ENTITIES);
    }

    @Test
    void lockHeldElsewhereIsAnError() throws SQLException {
        new Entities(host, 7).insertMany(10);
        try (SchemaLock lock =
                SchemaLock.tryAcquire(host.postgres.dataSource(), 7).orElseThrow()) {
            assertThatThrownBy(() -> export(BaseExportOptions.DEFAULTS)).isInstanceOf(SchemaLockedException.class);
        }
        assertThat(host.objects()).isEmpty();
        assertThat(export(BaseExportOptions.DEFAULTS).outcome()).isEqualTo(Outcome.EXPORTED);
    }

    @Test
    void schemaWithoutRowsLeavesNoTraceAndAnEmptiedOneAFileWithoutRows() throws SQLException {
        assertThat(export(BaseExportOptions.DEFAULTS).outcome()).isEqualTo(Outcome.NOTHING_TO_EXPORT);
        assertThat(host.objects()).isEmpty();

        Entities entities = new Entities(host, 7).insertMany(10);
        host.flush(Entities.REGISTRY);
        host.sql("DELETE FROM entity_main");
        BaseExportReport report = export(BaseExportOptions.DEFAULTS.replacingDeltas());

        assertThat(report.rows()).isZero();
        assertThat(manifest().entries()).singleElement().satisfies(entry -> {
            assertThat(entry.rowCount()).isZero();
            assertThat(entry.columns()).containsKeys("row_id", "title", "total");
        });
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void schemaThatTheRegistryDoesNotKnowFailsBeforeAnyEffect() {
        assertThatThrownBy(() ->
                        Cdc.exportBase(config, host.client, 7, BaseExportOptions.DEFAULTS, id -> Optional.empty()))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("the schema registry does not know schema 7");
        assertThat(host.objects()).isEmpty();
    }

    @Test
    void withoutManifestsThereIsNothingToReplace() {
        CdcConfig bare =
                config.toBuilder().manifestPrefix("").manifestTemplate("").build();
        assertThatThrownBy(() -> Cdc.exportBase(bare, host.client, 7, BaseExportOptions.DEFAULTS, null))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("set manifestPrefix or manifestTemplate");
    }

    @Test
    void planWritesNothing() throws SQLException {
        new Entities(host, 7).insertMany(ENTITIES);
        String tables = host.tables();

        BaseExportReport plan = Cdc.planBase(config, host.client, 7, TWO_AT_ONCE, Entities.REGISTRY);

        assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
        assertThat(plan.rows()).isEqualTo(ENTITIES);
        assertThat(plan.files()).isEqualTo(6);
        assertThat(host.objects()).isEmpty();
        assertThat(host.tables()).isEqualTo(tables);
        Leftovers.assertNone(host, spill);
    }

    @Test
    void exportThatLostItsConnectionsIsContinued() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(ENTITIES);
        AtomicInteger kills = new AtomicInteger();
        try (Connection killer = host.postgres.dataSource().getConnection()) {
            Throwable thrown = catchThrowable(() -> withListener(config, rows -> {
                        if (rows > ENTITIES / 2 && kills.getAndIncrement() == 0) {
                            TestHost.column(
                                    killer,
                                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname ="
                                            + " current_database() AND application_name = 'forma-cdc'");
                        }
                    })
                    .exportBase(7, TWO_AT_ONCE));
            assertThat(thrown).isInstanceOf(CdcException.class).hasMessageStartingWith("schema 7, ");
        }
        assertThat(host.listedKeys(7)).isEmpty();
        Leftovers.assertNone(host, spill);
        List<java.util.UUID> ids = new ArrayList<>(entities.dirty());
        entities.update(host.connection, ids.get(0), Entities.FIRST_VERSION + 500_000);

        BaseExportReport report = export(TWO_AT_ONCE);

        assertThat(report.filesReused()).isBetween(1, report.files() - 1);
        entities.assertViewEqualsPostgres(config);
        assertBoundsAreTrue();
        host.sql("DELETE FROM change_log");
        entities.assertLakeEqualsPostgres(config);
        assertThat(host.objects()).noneMatch(object -> object.key().endsWith("export.json"));
    }

    @Test
    void interruptEndsAnExportThatWaitsForALock() throws SQLException {
        Entities entities = new Entities(host, 7).insertMany(ENTITIES);
        try (Connection other = host.postgres.dataSource().getConnection()) {
            other.setAutoCommit(false);
            try (java.sql.Statement statement = other.createStatement()) {
                statement.execute("LOCK TABLE eav_data IN ACCESS EXCLUSIVE MODE");
            }
            CompletableFuture<Void> interrupt = interruptOnceSomethingWaits();

            Throwable thrown = catchThrowable(() -> export(TWO_AT_ONCE));

            assertThat(Thread.interrupted()).isTrue();
            interrupt.join();
            assertThat(thrown).isInstanceOf(CdcInterruptedException.class);
            Leftovers.assertNone(host, spill);
        }
        assertThat(host.listedKeys(7)).isEmpty();
        export(TWO_AT_ONCE);
        entities.assertViewEqualsPostgres(config);
    }

    private CompletableFuture<Void> interruptOnceSomethingWaits() {
        Thread pass = Thread.currentThread();
        return CompletableFuture.runAsync(() -> {
            try (Connection watcher = host.postgres.dataSource().getConnection()) {
                Awaitility.await()
                        .atMost(Duration.ofSeconds(20))
                        .until(() -> !Entities.rows(watcher, """
                                SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
                                AND application_name = 'forma-cdc' AND wait_event_type = 'Lock'""").isEmpty());
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            pass.interrupt();
        });
    }

    private BaseExportReport export(BaseExportOptions options) {
        return Cdc.exportBase(config, host.client, 7, options, Entities.REGISTRY);
    }

    private interface Hearing {
        void hear(long rows) throws SQLException;
    }

    /** A runner whose listener does something whenever it hears of rows. */
    private CdcRunner withListener(CdcConfig ofRunner, Hearing hearing) {
        LongConsumer unchecked = rows -> {
            try {
                hearing.hear(rows);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        };
        return runner(ofRunner, new CdcListener() {
            @Override
            public void progressed(Progress progress) {
                unchecked.accept(progress.rows().done());
            }
        });
    }

    private CdcRunner runner(CdcConfig ofRunner, CdcListener listener) {
        return CdcRunner.builder(ofRunner)
                .s3Client(host.client)
                .registry(Entities.REGISTRY)
                .listener(listener)
                .build();
    }

    private ManifestStore manifests() {
        return new ManifestStore(
                host.store(), ManifestConfig.of(config.withDefaults()).orElseThrow(), ManifestStoreOptions.DEFAULTS);
    }

    private Manifest manifest() {
        return manifests().load(7).manifest();
    }

    /** Checks that bounds are those of the rows, and that no file overlaps the next. */
    private void assertBoundsAreTrue() throws SQLException {
        List<ManifestEntry> base = manifest().base();
        String last = "";
        try (Lake lake = Lake.open(config, host.client, 7);
                Connection duckDb = java.sql.DriverManager.getConnection("jdbc:duckdb:")) {
            assertThat(lake.keys()).hasSize(manifest().entries().size());
            for (ManifestEntry entry : base) {
                Path file = spill.resolve("bounds.parquet");
                host.store().download(entry.key(), file);
                assertThat(TestHost.rows(duckDb, "SELECT min(row_id), max(row_id), count(*) FROM '" + file + "'"))
                        .containsExactly(List.of(
                                String.valueOf(entry.minRowId()),
                                String.valueOf(entry.maxRowId()),
                                String.valueOf(entry.rowCount())));
                assertThat(String.valueOf(entry.minRowId())).isGreaterThan(last);
                last = String.valueOf(entry.maxRowId());
                assertThat(file.toFile().delete()).isTrue();
            }
        }
    }
}
