package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import io.formacdc.manifest.CompactionLoop;
import io.formacdc.manifest.CompactionPlan;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.SweepOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompactionIT extends CompactedLake {
    private static final long MB = 1_000_000;

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

    private static long bytes(List<ManifestEntry> entries) {
        return entries.stream()
                .mapToLong(e -> Objects.requireNonNull(e.sizeBytes()))
                .sum();
    }
}
