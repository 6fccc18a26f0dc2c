package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaLock;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.duckdb.RepairReport.Outcome;
import io.formacdc.duckdb.RepairReport.UnlistedFile;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.RetiredFile;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is safe is listed anew, and nothing else. */
@Timeout(120)
final class RepairIT {
    private static final long LATER = Entities.FIRST_VERSION + 1000;

    @TempDir
    private Path folder;

    private TestHost host;
    private BrokenLake lake;
    private Entities entities;
    /** Two chunks of ten rows. */
    private String first;

    private String second;

    @BeforeEach
    void flush() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        entities = lake.entities.insertMany(20);
        List<String> keys = lake.flush();
        first = keys.get(0);
        second = keys.get(1);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void lostRowsAreListedAgainOnce() throws SQLException {
        lake.unlist(first);
        long flushSeq = lake.manifest().flushSeq();

        RepairReport report = repair();

        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        UnlistedFile file = report.files().get(0);
        assertThat(file).isEqualTo(new UnlistedFile(first, 10, 0, 0, 0, file.repairKey()));
        assertThat(file.repairKey()).matches(".*/7/delta-[0-9a-f-]{36}\\.parquet");
        assertThat(host.listedKeys(7)).containsExactly(second, file.repairKey());
        assertThat(lake.manifest().flushSeq()).isEqualTo(flushSeq);
        entities.assertLakeEqualsPostgres(lake.config);
        assertThat(check()).extracting(Finding::kind).containsExactly(Kind.UNLISTED);
        List<ObjectInfo> objects = host.objects();
        assertThat(repair().outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
        assertThat(host.objects()).isEqualTo(objects);
    }

    @Test
    void columnsKeepTheirTypesAndFieldIds() throws SQLException {
        entities.updateAll(host.connection);
        Cdc.runOnce(lake.config, host.client, false, null); // lists of structs too
        String generic = host.listedKeys(7).get(2);
        lake.unlist(generic);
        String repaired = String.valueOf(repair().files().get(0).repairKey());
        assertThat(lake.columns(repaired)).isEqualTo(lake.columns(generic)).anyMatch(c -> c.endsWith("|95"));
        assertThat(lake.entry(repaired).columns())
                .isEqualTo(lake.entry(host.listedKeys(7).get(2)).columns());
        assertThat(check()).extracting(Finding::kind).containsExactly(Kind.UNLISTED);
    }

    @Test
    void lostDeletesAreListedAgain() throws SQLException {
        entities.delete(host.connection, entities.id(1), LATER);
        entities.delete(host.connection, entities.id(2), LATER + 1);
        String deletes = lake.flush().get(0);
        lake.unlist(deletes);
        RepairReport report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(report.files())
                .singleElement()
                .satisfies(file -> assertThat(file.lostDeletes()).isEqualTo(2));
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UPDATE entity_main SET ltbase_deleted_at = 5", "DELETE FROM entity_main"})
    void rowsOfEntitiesThatAreGoneAreLeftOut(String goes) throws SQLException {
        lake.unlist(first);
        host.sql(goes + " WHERE ltbase_row_id = '" + minRow(first) + "'");

        RepairReport report = repair();

        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(report.files())
                .singleElement()
                .satisfies(file -> assertThat(file.rows()).isEqualTo(9));
        assertThat(rowsInLake()).hasSize(19).doesNotContain(minRow(first));
    }

    @Test
    void anOrphanWhoseDeletionsACompactionHasDroppedIsNoDamage() throws SQLException {
        lake.unlist(first);
        host.sql("DELETE FROM entity_main WHERE ltbase_row_id <= '" + maxRow(first) + "'");

        assertThat(check()).extracting(Finding::kind).containsExactly(Kind.UNLISTED);
        assertThat(repair().outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
    }

    @Test
    void rowsOfEntitiesThatAreGoneAreRefusedWhereAnOlderVersionIsListed() throws SQLException {
        entities.update(host.connection, UUID.fromString(minRow(first)), LATER);
        String changes = lake.flush().get(0);
        lake.unlist(changes);
        host.sql("DELETE FROM entity_main WHERE ltbase_row_id = '" + minRow(first) + "'");
        assertRefused(new UnlistedFile(changes, 0, 0, 1, 0, null));
    }

    private List<@Nullable String> rowsInLake() throws SQLException {
        try (Lake opened = Lake.open(lake.config, host.client, 7)) {
            return TestHost.column(opened.connection(), "SELECT row_id::VARCHAR FROM lake");
        }
    }

    @Test
    void tombstonesOfLivingEntitiesAreRefused() throws SQLException {
        entities.delete(host.connection, entities.id(1), LATER);
        String deletes = lake.flush().get(0);
        lake.unlist(deletes);
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at)"
                        + " VALUES (7, ?, 1, ?)",
                entities.id(1),
                LATER);
        assertRefused(new UnlistedFile(deletes, 0, 0, 0, 1, null));
    }

    @Test
    void aSafeFileIsRepairedBesideARefusedOne() throws SQLException {
        entities.delete(host.connection, UUID.fromString(minRow(first)), LATER);
        lake.flush();
        UUID revived = UUID.fromString(maxRow(second));
        entities.delete(host.connection, revived, LATER);
        String deletes = lake.flush().get(0);
        // A row of the one is covered by the tombstone that is still listed; the other is of an entity that lives.
        lake.unlist(first);
        lake.unlist(deletes);
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at)"
                        + " VALUES (7, ?, 1, ?)",
                revived,
                LATER);

        RepairReport report = repair();

        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(report.files()).extracting(UnlistedFile::key).containsExactly(first, deletes);
        assertThat(report.files()).extracting(UnlistedFile::lostRows).containsExactly(9L, 0L);
        assertThat(report.files().get(0).repairKey()).isNotNull();
        assertThat(report.files().get(1).repairKey()).isNull();
        assertThat(report.explain()).contains("listed as").contains("refused");
        assertThat(repair().outcome()).isEqualTo(Outcome.REFUSED);
    }

    @Test
    void coveredVersionsDoNotComeBack() throws SQLException {
        String inFirst = minRow(first);
        entities.delete(host.connection, UUID.fromString(inFirst), LATER);
        lake.flush();
        lake.unlist(first);
        RepairReport report = repair();
        assertThat(report.files())
                .singleElement()
                .satisfies(file -> assertThat(file.rows()).isEqualTo(9));
        String repaired = String.valueOf(report.files().get(0).repairKey());
        assertThat(lake.entry(repaired).rowCount()).isEqualTo(9);
        assertThat(lake.entry(repaired).minRowId()).isNotEqualTo(inFirst);
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void ofSeveralLostVersionsTheNewestIsListed() throws SQLException {
        entities.updateAll(host.connection);
        List<String> updates = lake.flush();
        host.store().copy(first, lake.config.s3Prefix() + "/7/empty.parquet");
        lake.rewrite(lake.config.s3Prefix() + "/7/empty.parquet", "FROM f LIMIT 0");
        lake.list(emptyFile());
        lake.unlist(first);
        lake.unlist(second);
        updates.forEach(lake::unlist);
        RepairReport report = repair();
        assertThat(report.files()).extracting(UnlistedFile::key).containsExactlyElementsOf(updates);
        assertThat(report.files()).allMatch(file -> file.lostRows() == 10);
        entities.assertLakeEqualsPostgres(lake.config);
        assertThat(repair().outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
    }

    @Test
    void dirtyRowsAreLeftToTheNextFlush() throws SQLException {
        lake.unlist(first);
        entities.updateAll(host.connection);
        assertThat(repair().outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
        entities.assertViewEqualsPostgres(lake.config);
        lake.flush();
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void whatACompactionRetiredIsNeverListedAgain() {
        lake.change(m -> m.toBuilder()
                .entries(
                        m.entries().stream().filter(e -> e.key().equals(second)).toList())
                .retired(List.of(RetiredFile.of(first, 1)))
                .build());
        assertThat(repair().outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
        assertThat(host.listedKeys(7)).containsExactly(second);
    }

    @Test
    void whatNoRepairPutsRightIsNamedAndNotCalledNothing() {
        lake.relist(first, e -> e.rowCount(11L));
        RepairReport report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.explain()).contains("not repaired", "wrong row count", first, "write the entry anew");

        host.store().delete(second);
        report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.beyondRepair())
                .extracting(Finding::key, Finding::kind)
                .contains(tuple(first, Kind.WRONG_ROW_COUNT), tuple(second, Kind.MISSING));
        assertThat(report.explain()).contains(second, "restore the object");
    }

    @Test
    void aRepairNamesWhatItLeavesToo() {
        lake.unlist(first);
        lake.relist(second, e -> e.rowCount(11L));
        RepairReport report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(report.beyondRepair()).extracting(Finding::key).containsExactly(second);
    }

    @Test
    void aMissingListedFileIsNotTakenOffAndStopsTheRepair() {
        lake.unlist(first);
        host.store().delete(second);
        RepairReport report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.refusal()).contains(second).contains("there is no such object");
        assertThat(host.listedKeys(7)).containsExactly(second);
        assertThat(host.dataKeys()).containsExactly(first);
    }

    @Test
    void withoutAManifestNothingIsRepaired() {
        host.store().delete(lake.manifestKey());
        assertThat(repair().outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(host.dataKeys()).containsExactly(first, second);
    }

    @Test
    void aSchemaThatAnotherSessionHoldsIsSkipped() {
        lake.unlist(first);
        try (SchemaLock lock =
                SchemaLock.tryAcquire(host.postgres.dataSource(), 7).orElseThrow()) {
            assertThat(repair().outcome()).isEqualTo(Outcome.LOCKED_ELSEWHERE);
            assertThat(lock.isHeld()).isTrue();
        }
        assertThat(repair().outcome()).isEqualTo(Outcome.REPAIRED);
    }

    @Test
    void twoRepairsAtOnceListOnce() throws Exception {
        lake.unlist(first);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        Future<RepairReport> one = threads.submit(() -> repair());
        Future<RepairReport> other = threads.submit(() -> repair());
        List<Outcome> outcomes = List.of(one.get().outcome(), other.get().outcome());
        threads.shutdown();
        assertThat(outcomes)
                .containsOnlyOnce(Outcome.REPAIRED)
                .containsAnyOf(Outcome.LOCKED_ELSEWHERE, Outcome.NOTHING_TO_REPAIR);
        assertThat(host.listedKeys(7)).hasSize(2);
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void whatIsListedBeforeTheSaveIsNotListedTwice() throws SQLException {
        ManifestEntry entry = lake.entry(first);
        lake.unlist(first);
        AtomicInteger puts = new AtomicInteger();
        RepairReport report = repair(() -> {
            if (puts.getAndIncrement() == 0) {
                lake.list(entry);
            }
        });
        assertThat(report.outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
        assertThat(host.dataKeys()).containsExactly(first, second);
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void aDeletionThatIsFlushedAndCompactedBeforeTheSaveIsNotUndone() throws SQLException {
        String row = minRow(first);
        lake.unlist(first);
        AtomicInteger puts = new AtomicInteger();
        RepairReport report = repair(() -> {
            if (puts.getAndIncrement() == 0) {
                // As a flush and a compaction leave it that dropped the tombstone: no listed file names the row.
                try {
                    host.sql("DELETE FROM entity_main WHERE ltbase_row_id = '" + row + "'");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
                lake.change(m -> m.toBuilder()
                        .retired(List.of(RetiredFile.of(lake.config.s3Prefix() + "/7/tombstone.parquet", 1)))
                        .build());
            }
        });
        assertThat(puts).hasValue(2);
        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(report.files())
                .singleElement()
                .satisfies(file -> assertThat(file.rows()).isEqualTo(9));
        assertThat(rowsInLake()).hasSize(19).doesNotContain(row);
    }

    @Test
    void aManifestThatNeverRestsEndsTheRepair() {
        lake.unlist(first);
        assertThatThrownBy(() -> repair(() -> lake.change(
                        m -> m.toBuilder().flushSeq(m.flushSeq() + 1).build())))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining(
                        "nothing was repaired, the manifest was changed by others during each of 5 tries");
        assertThat(host.listedKeys(7)).containsExactly(second);
        assertThat(host.dataKeys()).containsExactly(first, second);
    }

    @Test
    void anInterruptEndsTheRepair() {
        lake.unlist(first);
        assertThatThrownBy(() -> repair(() -> Thread.currentThread().interrupt()))
                .isInstanceOf(CdcInterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(host.listedKeys(7)).containsExactly(second);
    }

    @Test
    void anInterruptEndsARepairThatWaitsForATable() throws SQLException {
        lake.unlist(first);
        Thread repair = Thread.currentThread();
        try (Connection other = host.postgres.dataSource().getConnection()) {
            other.setAutoCommit(false);
            try (Statement statement = other.createStatement()) {
                statement.execute("LOCK TABLE entity_main IN ACCESS EXCLUSIVE MODE");
            }
            CompletableFuture<Void> interrupt = CompletableFuture.runAsync(() -> {
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(host::somethingWaits);
                repair.interrupt();
            });
            assertThatThrownBy(this::repair).isInstanceOf(CdcInterruptedException.class);
            assertThat(Thread.interrupted()).isTrue();
            interrupt.join();
            other.rollback();
        }
        assertThat(repair().outcome()).isEqualTo(Outcome.REPAIRED);
    }

    private RepairReport repair() {
        return Cdc.repair(lake.config, host.client, 7);
    }

    private RepairReport repair(Runnable beforePut) {
        HookedStore store = new HookedStore(host.store());
        store.beforePut = beforePut;
        try (Reconciler reconciler =
                new Reconciler(lake.config.validate(), PgDataSources.of(lake.config), store, null)) {
            return reconciler.repair(7);
        }
    }

    private List<Finding> check() {
        return Cdc.reconcile(lake.config, host.client, 7, Depth.CONTENTS).findings();
    }

    private void assertRefused(UnlistedFile file) throws SQLException {
        List<ObjectInfo> objects = host.objects();
        String tables = host.tables();
        RepairReport report = repair();
        assertThat(report.outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.files()).containsExactly(file);
        assertThat(check()).extracting(Finding::kind).containsExactly(Kind.UNCOVERED_ROWS);
        assertThat(host.objects()).isEqualTo(objects);
        assertThat(host.tables()).isEqualTo(tables);
    }

    private ManifestEntry emptyFile() {
        return lake.entry(first).toBuilder()
                .path(lake.config.s3Prefix() + "/7/empty.parquet")
                .sizeBytes(null)
                .checksum(null)
                .rowCount(0L)
                .minRowId(null)
                .maxRowId(null)
                .minTimeSlot(null)
                .maxTimeSlot(null)
                .build();
    }

    /** Least row id of a file, listed or not. */
    private String minRow(String key) throws SQLException {
        return lake.row(key, "min");
    }

    private String maxRow(String key) throws SQLException {
        return lake.row(key, "max");
    }
}
