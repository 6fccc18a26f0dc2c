package io.formacdc.core;

import static io.formacdc.core.TestLog.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChangeLogIT {
    private static final String LOG = "change_log";
    private static TestLog log;
    private static Connection session;

    @BeforeAll
    static void open() throws SQLException {
        log = new TestLog();
        session = log.session;
    }

    @AfterAll
    static void close() throws SQLException {
        log.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        session.setAutoCommit(true);
        log.execute("TRUNCATE change_log");
    }

    @Test
    void statsOfASchemaWithoutDirtyRowsAreZero() throws SQLException {
        log.execute("INSERT INTO change_log VALUES (7, gen_random_uuid(), 100, 50, NULL)");
        log.dirty(8, 1, 60);
        assertThat(ChangeLog.getChangeLogStats(session, LOG, 7)).isEqualTo(new ChangeLog.Stats(0, 0));
    }

    @Test
    void statsCountDirtyRowsAndNameTheOldestVersion() throws SQLException {
        log.dirty(7, 1, 300);
        log.dirty(7, 2, 100);
        log.dirty(7, 3, 200);
        assertThat(ChangeLog.getChangeLogStats(session, "", 7)).isEqualTo(new ChangeLog.Stats(3, 100));
    }

    @Test
    void batchHasTheOldestVersionsFirstAndNoMoreThanAskedFor() throws SQLException {
        log.dirty(7, 1, 300);
        log.dirty(7, 2, 100);
        log.dirty(7, 3, 200);
        assertThat(ChangeLog.selectBatchRowIds(session, LOG, 7, 2).rowIds()).containsExactly(id(2), id(3));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void batchSizeThatIsNotSetIsTenThousand(int batchSize) throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 10001) g");
        assertThat(ChangeLog.selectBatchRowIds(session, LOG, 7, batchSize).rowIds())
                .hasSize(10_000);
    }

    @Test
    void snapshotIsTheClockBeforeTheSelection() throws SQLException {
        log.dirty(7, 1, 300);
        assertThat(ChangeLog.selectBatchRowIds(session, LOG, 7, 10, at(5_000)).snapshotMillis())
                .isEqualTo(5_000);
        long before = System.currentTimeMillis();
        assertThat(ChangeLog.selectBatchRowIds(session, LOG, 7, 10).snapshotMillis())
                .isBetween(before, System.currentTimeMillis());
    }

    @Test
    void snapshotReachesVersionsAheadOfTheClock() throws SQLException {
        log.dirty(7, 1, 9_000);
        log.dirty(7, 2, 8_000);
        ChangeLog.Batch batch = ChangeLog.selectBatchRowIds(session, LOG, 7, 10, at(5_000));
        assertThat(batch.snapshotMillis()).isEqualTo(9_000);
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, batch.rowIds(), batch.snapshotMillis(), 6_000))
                .containsExactlyInAnyOrder(id(1), id(2));
    }

    @Test
    void markFlushedTakesEveryRowUpToTheSnapshot() throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 200);
        log.dirty(7, 3, 201);
        log.dirty(8, 4, 100);
        assertThat(ChangeLog.markFlushed(session, LOG, 7, 200, 1_000)).isEqualTo(2);
        assertThat(log.marks(7)).containsExactly("1:1000", "2:1000", "3:0");
        assertThat(log.marks(8)).containsExactly("4:0");
    }

    @Test
    void markOfIdsLeavesNewerAndUnknownRows() throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 201);
        log.dirty(7, 3, 100);
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, List.of(id(1), id(1), id(2), id(9)), 200, 1_000))
                .containsExactly(id(1));
        assertThat(log.marks(7)).containsExactly("1:1000", "2:0", "3:0");
    }

    @Test
    void aRowThatWasFlushedBeforeIsNotMarkedAgain() throws SQLException {
        log.dirty(7, 1, 100);
        RowVersions versions = log.versions(7);
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, versions, 1_000))
                .isEqualTo(1);
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, versions, 2_000))
                .isZero();
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, List.of(id(1)), 200, 2_000))
                .isEmpty();
        assertThat(log.marks(7)).containsExactly("1:1000");
    }

    @Test
    void versionsOfAnotherSchemaAreLeft() throws SQLException {
        log.execute(
                "INSERT INTO change_log SELECT s, '%s', 0, 100, NULL FROM generate_series(7, 8) s".formatted(id(1)));
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 8, log.versions(7), 1_000))
                .isEqualTo(1);
        assertThat(log.marks(7)).containsExactly("1:0");
    }

    /** As when a transaction's number comes round again. */
    @Test
    void anotherVersionOfATransactionOfTheSameNumberIsLeft() throws SQLException {
        log.dirty(7, 1, 100);
        RowVersions exported = log.versions(7);
        RowVersions.Collector older = new RowVersions.Collector();
        older.add(exported.rowId(0).getMostSignificantBits(), exported.rowId(0).getLeastSignificantBits(), 99, (int)
                exported.xmin(0));
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, RowVersions.of(List.of(older)), 1_000))
                .isZero();
        assertThat(log.marks(7)).containsExactly("1:0");
    }

    @Test
    void nothingIsSentForNoRows() throws SQLException {
        Connection closed = log.open();
        closed.close();
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(closed, LOG, 7, List.of(), 1, 1))
                .isEmpty();
        assertThat(ChangeLog.markFlushedVersions(closed, LOG, 7, RowVersions.of(List.of()), 1))
                .isZero();
    }

    @Test
    void aMarkOfAMillisecondUsedBeforeTakesTheNextOne() throws SQLException {
        for (int i = 0; i < 3; i++) {
            log.dirty(7, 1, 100 + i);
            assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, log.versions(7), 1_000))
                    .isEqualTo(1);
        }
        log.dirty(7, 1, 110);
        log.dirty(7, 2, 110);
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, List.of(id(1), id(2)), 200, 1_000))
                .containsExactlyInAnyOrder(id(1), id(2));
        log.dirty(7, 1, 120);
        assertThat(ChangeLog.markFlushed(session, LOG, 7, 200, 1_000)).isEqualTo(1);
        assertThat(log.marks(7)).containsExactly("1:1000", "1:1001", "1:1002", "1:1003", "1:1004", "2:1000");
    }

    @Test
    void aMillisecondUsedBeforeDoesNotBreakTheCallersTransaction() throws SQLException {
        log.dirty(7, 1, 100);
        ChangeLog.markFlushed(session, LOG, 7, 200, 1_000);
        session.setAutoCommit(false);
        log.dirty(7, 2, 100);
        log.dirty(7, 1, 101);
        assertThat(ChangeLog.markFlushed(session, LOG, 7, 200, 1_000)).isEqualTo(2);
        session.commit();
        assertThat(log.marks(7)).containsExactly("1:1000", "1:1001", "2:1000");
    }

    @Test
    void marksInATransactionThatIsRolledBackAreUndone() throws SQLException {
        log.dirty(7, 1, 100);
        session.setAutoCommit(false);
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, log.versions(7), 1_000))
                .isEqualTo(1);
        session.rollback();
        assertThat(log.marks(7)).containsExactly("1:0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd log", "log's \"own\"", "MixedCase", "\"dot.ted\"", "odd schema.odd log", "percent%s?"})
    void anyTableNameWorks(String table) throws SQLException {
        log.execute("CREATE SCHEMA IF NOT EXISTS \"odd schema\"");
        session.createStatement()
                .execute("CREATE TABLE " + TableName.parse(table) + " (LIKE change_log INCLUDING ALL)");
        log.execute("INSERT INTO " + TableName.parse(table)
                + " SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 6) g");
        assertThat(ChangeLog.getChangeLogStats(session, table, 7)).isEqualTo(new ChangeLog.Stats(6, 1));
        List<UUID> ids = ChangeLog.selectBatchRowIds(session, table, 7, 6).rowIds();
        assertThat(ChangeLog.markFlushed(session, table, 7, 4, 1_000)).isEqualTo(4);
        assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, table, 7, ids, 5, 1_000))
                .containsExactly(ids.get(4));
        assertThat(ChangeLog.getChangeLogStats(session, table, 7)).isEqualTo(new ChangeLog.Stats(1, 6));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32_768})
    void schemaIdsOutOfRangeAreRefusedBeforeAnySql(int schemaId) throws SQLException {
        Connection closed = log.open();
        closed.close();
        List<Runnable> calls = List.of(
                () -> ChangeLog.getChangeLogStats(closed, LOG, schemaId),
                () -> ChangeLog.selectBatchRowIds(closed, LOG, schemaId, 1),
                () -> ChangeLog.markFlushed(closed, LOG, schemaId, 1, 1),
                () -> ChangeLog.markFlushedIdsAtSnapshot(closed, LOG, schemaId, List.of(id(1)), 1, 1),
                () -> ChangeLog.markFlushedVersions(closed, LOG, schemaId, RowVersions.of(List.of()), 1),
                () -> SchemaLock.acquireSchemaLock(closed, schemaId),
                () -> SchemaLock.releaseSchemaLock(closed, schemaId),
                () -> SchemaLock.tryAcquire(log.database.dataSource(), schemaId));
        assertThat(calls)
                .allSatisfy(call -> assertThatThrownBy(call::run)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("schema id must be 1 to 32767, not " + schemaId));
    }

    @Test
    void theGreatestSchemaIdWorks() throws SQLException {
        log.dirty(32_767, 1, 100);
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 32_767, log.versions(32_767), 1_000))
                .isEqualTo(1);
    }

    @Test
    void nullsAndInstantsThatMeanDirtyAreRefused() throws SQLException {
        log.dirty(7, 1, 100);
        assertThatThrownBy(() -> ChangeLog.markFlushedIdsAtSnapshot(
                        session, LOG, 7, new ArrayList<>(Arrays.asList(id(1), null)), 200, 1_000))
                .isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> ChangeLog.markFlushed(session, LOG, 7, 200, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("flushedAtMillis");
        assertThat(log.marks(7)).containsExactly("1:0");
    }

    @Test
    void aFailureNamesTheStepTheSchemaAndTheSqlState() {
        assertThatThrownBy(() -> ChangeLog.markFlushed(session, "nowhere", 7, 1, 1))
                .isInstanceOfSatisfying(
                        DatabaseException.class, e -> assertThat(e.sqlState()).isEqualTo("42P01"))
                .hasMessageContaining("mark of flushed rows of schema 7 failed")
                .hasMessageContaining("nowhere");
        assertThatThrownBy(() -> ChangeLog.getChangeLogStats(session, "a.b.c", 7))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no table name");
    }

    @Test
    void marksTwoHundredThousandIdsInOneCall() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 200000) g");
        List<UUID> ids = ChangeLog.selectBatchRowIds(session, LOG, 7, 200_000).rowIds();
        List<UUID> marked = ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, ids, 199_999, 1_000);
        assertThat(marked).hasSize(199_999).doesNotHaveDuplicates().doesNotContain(ids.get(199_999));
    }

    @Test
    void marksTwoHundredThousandVersionsInOneCall() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 200000) g");
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, log.versions(7), 1_000))
                .isEqualTo(200_000);
    }

    /** With these statistics the planner expects one dirty row; it once scanned all keys for each of the many. */
    @Test
    void staleStatisticsDoNotMakeAMarkQuadratic() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 9, g, NULL FROM generate_series(1, 100000) g");
        log.execute("ANALYZE change_log");
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 300000) g");
        RowVersions dirty = log.versions(7);
        log.execute("SET statement_timeout = '5s'");
        try {
            // Often enough for the server to go over to a plan that does not know how many keys there are.
            for (int chunk = 0; chunk < 12; chunk++) {
                RowVersions.Collector versions = new RowVersions.Collector();
                List<UUID> ids = new ArrayList<>();
                for (int i = chunk * 20_000; i < chunk * 20_000 + 10_000; i++) {
                    UUID id = dirty.rowId(i);
                    versions.add(
                            id.getMostSignificantBits(), id.getLeastSignificantBits(), dirty.changedAtMillis(i), (int)
                                    dirty.xmin(i));
                    ids.add(dirty.rowId(i + 10_000));
                }
                assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, RowVersions.of(List.of(versions)), 1_000))
                        .isEqualTo(10_000);
                assertThat(ChangeLog.markFlushedIdsAtSnapshot(session, LOG, 7, ids, 300_000, 1_000))
                        .hasSize(10_000);
            }
        } finally {
            log.execute("SET statement_timeout = 0");
        }
    }

    /** A flush has many chunks: were each of their marks a scan of the log, the sum would grow with its square. */
    @Test
    void aMarkOfSomeVersionsDoesNotScanTheLog() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 5000) g");
        RowVersions some = log.versions(7);
        log.execute("INSERT INTO change_log SELECT 8, gen_random_uuid(), 0, g, NULL FROM generate_series(1, 95000) g");
        log.execute("ANALYZE change_log");
        // Within one transaction, because the server adds up what a session did before it began.
        session.setAutoCommit(false);
        List<String> before = scans();
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, some, 1_000)).isEqualTo(5_000);
        assertThat(scans()).isEqualTo(before);
    }

    private static List<String> scans() throws SQLException {
        return log.strings("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'change_log'");
    }

    private static Clock at(long millis) {
        return Clock.fixed(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    }
}
