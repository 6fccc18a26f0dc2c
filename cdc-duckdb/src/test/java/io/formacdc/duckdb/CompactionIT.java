package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaCompactionException;
import io.formacdc.core.ValueType;
import io.formacdc.manifest.CompactionLoop;
import io.formacdc.manifest.CompactionPlan;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.RetiredFile;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompactionIT {
    private static final int SCHEMA = 7;
    private static final long MB = 1_000_000;

    @TempDir
    Path spill;

    private TestHost host;
    private Entities entities;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        entities = new Entities(host, SCHEMA);
    }

    @AfterEach
    void close() throws SQLException {
        Leftovers.assertNone(host, spill);
        host.close();
    }

    @Test
    void whatWasFlushedBecomesSortedBaseFilesOfTheTargetSize() throws SQLException {
        entities.insertMany(100_000);
        flush();
        assertThat(manifest().delta()).hasSize(10);

        SchemaCompaction done = compact();

        assertThat(done.outcome()).isEqualTo(Outcome.COMPACTED);
        assertThat(done.filesBefore()).isEqualTo(10);
        assertInShape();
        List<ManifestEntry> base = manifest().base();
        assertThat(base)
                .hasSizeGreaterThan(2)
                .allSatisfy(e -> assertThat(e.sizeBytes()).isBetween(6 * MB / 10, 15 * MB / 10));
        assertThat(manifest().delta()).isEmpty();
        assertThat(done.filesAfter()).isEqualTo(base.size());
        assertThat(done.bytesWritten())
                .isEqualTo(base.stream()
                        .mapToLong(e -> Objects.requireNonNull(e.sizeBytes()))
                        .sum());
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void aSecondRunTouchesNothing() throws SQLException {
        entities.insertMany(30_000);
        flush();
        compact();
        changeSome(20);
        flush();
        changeSome(10);
        flush();
        compact();
        List<ObjectInfo> before = host.objects();

        SchemaCompaction again = compact();

        assertThat(again.outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
        assertThat(host.objects()).isEqualTo(before);
    }

    @Test
    void rowsBelowTheDirtyRatioGoToOneConsolidatedDeltaAndNoBaseIsRewritten() throws SQLException {
        entities.insertMany(60_000);
        flush();
        compact();
        List<String> base = keys(manifest().base());
        for (int i = 0; i < 4; i++) {
            changeSome(400); // spread evenly, because ids are hashes
            flush();
        }

        SchemaCompaction done = compact();

        assertThat(keys(manifest().base())).isEqualTo(base);
        assertThat(keys(manifest().delta()))
                .singleElement()
                .satisfies(key -> assertThat(key).matches(".*/7/delta-[0-9a-f-]{36}\\.parquet"));
        assertThat(done.filesRetired()).isEqualTo(4);
        assertThat(done.bytesWritten()).isLessThan(bytes(manifest().base()) / 20);
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void onePercentOfRowsInTheNewestTenthRewritesAtMostFifteenPercentOfTheBytes() throws SQLException {
        entities.insertMany(300_000);
        Cdc.runOnce(
                host.config().batchSize(100_000).maxBatchBytes(1L << 30).build(),
                host.client,
                false,
                Entities.REGISTRY);
        compact();
        long all = bytes(manifest().base());
        assertThat(manifest().base()).hasSizeGreaterThan(7);
        List<String> newestTenth = Entities.rows(
                host.connection, "SELECT ltbase_row_id FROM entity_main ORDER BY ltbase_row_id DESC LIMIT 30000");
        update(newestTenth.stream().filter(id -> id.hashCode() % 10 == 0).toList());
        flush();

        SchemaCompaction done = compact();

        assertThat(done.outcome()).isEqualTo(Outcome.COMPACTED);
        assertThat((double) done.bytesWritten() / all).isLessThan(0.15);
        assertInShape();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void anEmptiedSchemaEndsAsOneBaseWithoutRows() throws SQLException {
        entities.insertMany(500);
        flush();
        compact();
        for (int n = 1; n <= 500; n++) {
            entities.delete(host.connection, entities.id(n), Entities.FIRST_VERSION + 10_000);
        }
        flush();

        compact();

        assertThat(manifest().entries()).singleElement().satisfies(e -> {
            assertThat(e.level()).isEqualTo(ManifestEntry.BASE);
            assertThat(e.rowCount()).isZero();
            assertThat(e.columns()).containsEntry("title", "VARCHAR").containsEntry("row_id", "UUID");
        });
        entities.assertLakeEqualsPostgres(config());
        assertThat(compact().outcome()).isEqualTo(Outcome.NOTHING_TO_DO);

        entities.insert(host.connection, entities.id(1), Entities.FIRST_VERSION + 20_000);
        flush();
        compact();
        assertThat(manifest().entries())
                .singleElement()
                .satisfies(e -> assertThat(e.rowCount()).isEqualTo(1));
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void columnsMayComeAndGoBetweenGenerations() throws SQLException {
        entities.insertMany(1_000);
        flush();
        compact();
        SchemaAttributes next = new SchemaAttributes(
                "things",
                List.of(
                        Attribute.bound("title", 1, ValueType.TEXT, "text_01"),
                        Attribute.bound("amount", 2, ValueType.TEXT, "text_02"), // retyped
                        Attribute.eav("total", 4, ValueType.BIGINT), // note is gone
                        Attribute.bound("size", 5, ValueType.INTEGER, "integer_01"))); // new
        changeSome(100);
        host.sql("UPDATE entity_main SET text_02 = 'n' || bigint_01, integer_01 = 5");
        Cdc.runOnce(config(), host.client, false, TestHost.registry(SCHEMA, next));
        List<String> before = lakeRows();

        compact();

        assertThat(manifest().delta()).isEmpty();
        assertThat(lakeRows()).isEqualTo(before).hasSize(1_000);
        assertThat(manifest().base().get(0).columns())
                .containsEntry("amount", "VARCHAR")
                .containsEntry("size", "INTEGER")
                .containsEntry("note", "VARCHAR");
    }

    private List<String> lakeRows() throws SQLException {
        try (Lake lake = host.lake(SCHEMA)) {
            return Entities.rows(
                    lake.connection(),
                    "SELECT concat_ws('|', row_id, changed_at, title, amount, note, total, size) FROM lake"
                            + " ORDER BY row_id");
        }
    }

    @Test
    void aFlushThatLandsDuringACompactionSurvivesIt() throws SQLException {
        entities.insertMany(1_000);
        flush();
        AtomicInteger flushes = new AtomicInteger();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().startsWith("putIf") && flushes.incrementAndGet() == 1) {
                    unchecked(() -> {
                        entities.update(host.connection, entities.id(1), Entities.FIRST_VERSION + 10_000);
                        entities.delete(host.connection, entities.id(2), Entities.FIRST_VERSION + 10_000);
                    });
                    flush();
                }
            }
        });

        SchemaCompaction done =
                compactor(store, compaction()).runOnce().schemas().get(0);

        assertThat(done.outcome()).isEqualTo(Outcome.COMPACTED);
        assertThat(store.requests().stream().filter(r -> r.name().equals("download")))
                .as("no second merge")
                .hasSize(1);
        assertThat(manifest().base()).hasSize(1);
        assertThat(manifest().delta()).hasSize(1);
        entities.assertLakeEqualsPostgres(config());
        compact();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void ofTwoCompactionsOneComesFirstAndTheOtherLeavesNothing() throws SQLException {
        entities.insertMany(1_000);
        flush();
        AtomicInteger saves = new AtomicInteger();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().startsWith("putIf") && saves.incrementAndGet() == 1) {
                    compact();
                }
            }
        });

        SchemaCompaction done =
                compactor(store, compaction()).runOnce().schemas().get(0);

        assertThat(done.outcome()).isEqualTo(Outcome.OVERTAKEN);
        assertNoOrphans();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void aReaderThatResolvedItsListBeforeStillReadsEveryFile() throws SQLException {
        entities.insertMany(1_000);
        flush();
        List<String> resolved = keys(manifest().entries());
        compact();

        assertThat(manifest().retired().stream().map(RetiredFile::key)).containsExactlyElementsOf(resolved);
        sweeper(Clock.systemUTC()).sweep(SCHEMA);
        assertThat(host.dataKeys()).containsAll(resolved);

        sweeper(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(16))).sweep(SCHEMA);

        assertThat(host.dataKeys()).doesNotContainAnyElementsOf(resolved);
        assertThat(manifest().retired()).isEmpty();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void flushesSucceedUnderAStormOfCompactions() throws Exception {
        entities.insertMany(2_000);
        flush();
        Compactor compactor = compactor(host.store(), compaction());
        try (CompactionLoop loop = CompactionLoop.start(compactor, Duration.ofMillis(1))) {
            for (int i = 0; i < 25; i++) {
                changeSome(200);
                flush();
            }
        }
        entities.assertLakeEqualsPostgres(config());
        compact();
        assertInShape();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void aTombstoneAndALiveRowOfEqualVersionsAreADeletion() throws SQLException {
        entities.insertMany(10);
        flush();
        compact();
        long version = Entities.FIRST_VERSION + 1; // that of entity 1
        entities.delete(host.connection, entities.id(1), version);
        flush();

        compact();

        assertThat(manifest().delta()).isEmpty();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void whateverRequestFailsTheLakeIsWholeAndTheNextRunFinishes() throws Exception {
        entities.insertMany(2_000);
        flush();
        compact();
        changeSome(500);
        flush();
        changeSome(3);
        flush();
        LakeCopy lake = LakeCopy.of(host);
        WatchedStore counting = new WatchedStore(host.store(), new WatchedStore.Watcher() {});
        compactor(counting, compaction()).runOnce();
        List<WatchedStore.Request> requests = counting.requests();
        assertThat(requests).hasSizeGreaterThan(6);
        int cases = 0;
        for (WatchedStore.Request request : requests) {
            for (boolean before : new boolean[] {true, false}) {
                lake.restore();
                WatchedStore store = new WatchedStore(host.store(), WatchedStore.failing(request.number(), before));
                String name = request + (before ? " before" : " after");

                runAndIgnoreFailure(store);

                entities.assertLakeEqualsPostgres(config());
                compact();
                assertThat(manifest().delta()).as(name).isEmpty();
                assertInShape();
                entities.assertLakeEqualsPostgres(config());
                cases++;
            }
        }
        System.out.println(cases + " failing requests of a compaction");
    }

    private void runAndIgnoreFailure(ObjectStore store) {
        try {
            compactor(store, compaction()).runOnce();
        } catch (SchemaCompactionException e) {
            assertThat(e).hasMessageContaining("injected");
        }
    }

    @Test
    void aPlanSaysWhatWillBeDoneAndTouchesNothing() throws SQLException {
        entities.insertMany(5_000);
        flush();
        compact();
        changeSome(2_000);
        flush();
        List<ObjectInfo> before = host.objects();

        CompactionPlan plan = compactor(host.store(), compaction()).plan(SCHEMA);

        assertThat(host.objects()).isEqualTo(before);
        SchemaCompaction done = compact();
        assertThat(plan.files())
                .filteredOn(f -> f.action() != CompactionPlan.Action.KEEP)
                .hasSize(done.filesRetired());
        assertThat((double) done.bytesWritten() / plan.predictedBytes()).isBetween(0.5, 2.0);
        assertThat(plan.explain()).contains("rows dirty, more than 5 %");
    }

    @Test
    void rewritesAreStagedUnderTheTempPrefixAndSeveralFilesMoveAtOnce() throws SQLException {
        entities.insertMany(60_000);
        flush();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {});
        CompactionConfig compaction = compaction().toBuilder()
                .tempPrefix(host.key("staging/"))
                .maxParallelFiles(3)
                .build();

        compactor(store, compaction).runOnce();

        assertThat(store.requests().stream().filter(r -> r.name().equals("put")))
                .isNotEmpty()
                .allSatisfy(r -> assertThat(r.key()).startsWith(host.key("staging/")));
        assertThat(host.dataKeys()).noneMatch(key -> key.startsWith(host.key("staging/")));
        assertInShape();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void aManifestMayBeNamedDirectly() throws SQLException {
        entities.insertMany(100);
        flush();

        CompactionConfig byKey =
                compaction().toBuilder().schemaId(0).manifestPath(manifestKey()).build();
        assertThat(Cdc.compact(config(), byKey, host.client).schemas())
                .singleElement()
                .satisfies(s -> assertThat(s.schemaId()).isEqualTo(SCHEMA));

        changeSome(50);
        flush();
        CompactionConfig byUrl = byKey.toBuilder()
                .manifestPath("s3://" + host.bucket() + "/" + manifestKey())
                .build();
        assertThat(Cdc.compact(config(), byUrl, host.client).schemas().get(0).outcome())
                .isEqualTo(Outcome.COMPACTED);
        entities.assertLakeEqualsPostgres(config());
        assertThatThrownBy(() -> Cdc.compact(
                        config(),
                        byKey.toBuilder().manifestPath("s3://other/x.json").build(),
                        host.client))
                .hasMessageContaining("another bucket");
    }

    @Test
    void aCopyOfTheBucketInAFolderCanBeCompactedByItsManifestFile(@TempDir Path folder) throws Exception {
        entities.insertMany(100);
        flush();
        for (ObjectInfo object : host.objects()) {
            Path file = folder.resolve(object.key());
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            host.store().download(object.key(), file);
        }
        CompactionConfig compaction = compaction().toBuilder()
                .manifestPath(folder.resolve(manifestKey()).toString())
                .build();

        assertThat(Cdc.compact(config(), compaction, host.client)
                        .schemas()
                        .get(0)
                        .outcome())
                .isEqualTo(Outcome.COMPACTED);

        assertThat(Files.readString(folder.resolve(manifestKey()))).contains("/7/base-");
        assertThat(manifest().base()).isEmpty();
    }

    @Test
    void allSchemasAreFoundByTheirManifests() throws SQLException {
        Entities others = new Entities(host, 12);
        entities.insertMany(100);
        others.insertMany(100);
        flush();

        assertThat(Cdc.compact(config(), compaction().toBuilder().schemaId(0).build(), host.client)
                        .schemas())
                .extracting(SchemaCompaction::schemaId)
                .containsExactly(7, 12);
        others.assertLakeEqualsPostgres(config());
    }

    @Test
    void anInterruptEndsACompactionAndListsNothing() throws Exception {
        entities.insertMany(60_000);
        flush();
        Manifest before = manifest();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void after(WatchedStore.Request request) {
                if (request.name().equals("download")) {
                    Thread.currentThread().interrupt();
                }
            }
        });

        assertThatThrownBy(() -> compactor(store, compaction()).runOnce()).isInstanceOf(CdcInterruptedException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(manifest()).isEqualTo(before);
    }

    @Test
    void aLoopCompactsUntilItIsClosed() throws SQLException {
        entities.insertMany(100);
        flush();
        List<SchemaCompaction> heard = java.util.Collections.synchronizedList(new ArrayList<>());
        CdcListener listener = new CdcListener() {
            @Override
            public void compactionFinished(SchemaCompaction compaction) {
                heard.add(compaction);
            }
        };
        try (CdcRunner runner = CdcRunner.builder(config())
                        .s3Client(host.client)
                        .listener(listener)
                        .build();
                CompactionLoop loop = CompactionLoop.start(
                        runner.compactor(
                                compaction().toBuilder().schemaId(SCHEMA).build()),
                        Duration.ofMillis(20))) {
            Awaitility.await().until(() -> heard.size() >= 3);
            loop.close();
        }

        assertThat(heard.get(0).outcome()).isEqualTo(Outcome.COMPACTED);
        assertThat(heard.get(1).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    }

    @Test
    void withoutManifestsThereIsNothingToGoBy() {
        CdcConfig config = host.config().manifestPrefix("").build();

        assertThatThrownBy(() -> Cdc.compact(config, compaction(), host.client))
                .hasMessageContaining("manifestTemplate");
        assertThatThrownBy(() -> Cdc.sweep(config, SweepOptions.DEFAULTS, host.client))
                .hasMessageContaining("manifestTemplate");
    }

    /** Disjoint base files in row-id order, with true bounds, one live version of each row. */
    private void assertInShape() throws SQLException {
        UUID end = null;
        for (ManifestEntry entry : manifest().base()) {
            UUID min = UUID.fromString(Objects.requireNonNull(entry.minRowId()));
            assertThat(end == null || RowIdInterval.BYTE_ORDER.compare(end, min) < 0)
                    .as("base files in order")
                    .isTrue();
            end = UUID.fromString(Objects.requireNonNull(entry.maxRowId()));
            assertThat(factsOf(entry)).isEqualTo(entry.rowCount() + "|" + entry.rowCount() + "|0|0|" + min + "|" + end);
        }
    }

    private String factsOf(ManifestEntry entry) throws SQLException {
        Path file;
        try {
            file = Files.createTempFile("base", ".parquet");
            host.store().download(entry.key(), file);
            try (java.sql.Connection duckDb = java.sql.DriverManager.getConnection("jdbc:duckdb:")) {
                return Entities.rows(
                                duckDb,
                                "SELECT concat_ws('|', count(*), count(DISTINCT row_id), min(deleted_at),"
                                        + " max(deleted_at), min(row_id), max(row_id)) FROM '" + file + "'")
                        .get(0);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void assertNoOrphans() {
        Manifest manifest = manifest();
        assertThat(host.dataKeys()).allMatch(key -> manifest.lists(key) || manifest.retires(key));
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void unchecked(Action action) {
        try {
            action.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private long nextVersion = Entities.FIRST_VERSION + 1_000_000;

    /** Gives so many entities, spread over all, the next version. */
    private void changeSome(int count) throws SQLException {
        update(Entities.rows(
                host.connection,
                "SELECT ltbase_row_id FROM entity_main WHERE ltbase_schema_id = 7 ORDER BY md5(ltbase_row_id::text || "
                        + nextVersion + ") LIMIT " + count));
    }

    private void update(List<String> ids) throws SQLException {
        host.connection.setAutoCommit(false);
        for (String id : ids) {
            entities.update(host.connection, UUID.fromString(id), nextVersion++);
        }
        host.connection.commit();
        host.connection.setAutoCommit(true);
    }

    private CdcConfig config() {
        return host.config().spillDirectory(spill.toString()).build();
    }

    private void flush() {
        Cdc.runOnce(config(), host.client, false, Entities.REGISTRY);
    }

    private static CompactionConfig compaction() {
        CompactionConfigBuilder builder =
                CompactionConfig.builder().schemaId(SCHEMA).targetBaseSizeMb(1);
        return builder.maxRetries(8).baseBackoff(Duration.ofMillis(1)).build();
    }

    private SchemaCompaction compact() {
        return compactOrThrow(compaction());
    }

    private SchemaCompaction compactOrThrow(CompactionConfig compaction) {
        return Cdc.compact(config(), compaction, host.client).schema(SCHEMA).orElseThrow();
    }

    private Compactor compactor(ObjectStore store, CompactionConfig compaction) {
        CdcConfig config = config().withDefaults().validate();
        CompactionConfig complete = compaction.withDefaults().validate();
        return new Compactor(
                config,
                complete,
                CompactionTarget.of(config, complete, store).ports(new DuckMerger(config)),
                CdcListener.NONE,
                Clock.systemUTC());
    }

    private Sweeper sweeper(Clock clock) {
        return new Sweeper(host.store(), manifests(), config().s3Prefix(), SweepOptions.DEFAULTS, clock);
    }

    private ManifestStore manifests() {
        return new ManifestStore(
                host.store(), ManifestConfig.of(config().withDefaults()).orElseThrow(), ManifestStoreOptions.DEFAULTS);
    }

    private Manifest manifest() {
        return manifests().load(SCHEMA).manifest();
    }

    private String manifestKey() {
        return ManifestConfig.of(config().withDefaults()).orElseThrow().keyFor(SCHEMA);
    }

    private static List<String> keys(List<ManifestEntry> entries) {
        return entries.stream().map(ManifestEntry::key).toList();
    }

    private static long bytes(List<ManifestEntry> entries) {
        return entries.stream()
                .mapToLong(e -> Objects.requireNonNull(e.sizeBytes()))
                .sum();
    }
}
