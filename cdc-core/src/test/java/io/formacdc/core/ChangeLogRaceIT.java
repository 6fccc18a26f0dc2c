package io.formacdc.core;

import static io.formacdc.core.TestLog.id;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Marks while writers are at work on the same rows. */
class ChangeLogRaceIT {
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

    /** What a writer does to a row between its export and its mark. */
    private enum Rewrite {
        UPDATE_TO_A_NEWER_VERSION {
            @Override
            void by(Connection writer) throws SQLException {
                TestLog.upsert(writer, 7, 1, 101);
            }
        },
        UPDATE_WITHIN_THE_SAME_MILLISECOND {
            @Override
            void by(Connection writer) throws SQLException {
                TestLog.upsert(writer, 7, 1, 100);
            }
        },
        DELETION_AND_NEW_CREATION_WITHIN_THE_SAME_MILLISECOND {
            @Override
            void by(Connection writer) throws SQLException {
                TestLog.execute(writer, "DELETE FROM change_log WHERE row_id = '%s'".formatted(id(1)));
                TestLog.upsert(writer, 7, 1, 100);
            }
        };

        abstract void by(Connection writer) throws SQLException;
    }

    @ParameterizedTest
    @EnumSource
    void aRowRewrittenSinceTheExportStaysDirty(Rewrite rewrite) throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        rewrite.by(session);
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, exported, 1_000))
                .isEqualTo(1);
        assertThat(log.marks(7)).containsExactly("1:0", "2:1000");
    }

    /** The mark is held up after its snapshot and before it looks at any row. */
    @ParameterizedTest
    @EnumSource
    void aRowWhoseWriterCommitsWhileTheMarkRunsStaysDirty(Rewrite rewrite) throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        log.execute("CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                + " PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$");
        log.execute("CREATE TRIGGER hold_up BEFORE UPDATE ON change_log EXECUTE FUNCTION hold_up()");
        try (Connection writer = log.open();
                Connection marker = log.open()) {
            TestLog.execute(writer, "SELECT pg_advisory_lock(1)");
            int backend = TestLog.backend(marker);
            CompletableFuture<Long> marked =
                    CompletableFuture.supplyAsync(() -> ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 1_000));
            log.awaitBlocked(backend);
            rewrite.by(writer);
            TestLog.execute(writer, "SELECT pg_advisory_unlock(1)");
            assertThat(marked.join()).isEqualTo(1);
        } finally {
            log.execute("DROP FUNCTION hold_up CASCADE");
        }
        assertThat(log.marks(7)).containsExactly("1:0", "2:1000");
    }

    /** What a transaction does to a row that it still holds when the mark comes. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE change_log SET changed_at = changed_at",
                "DELETE FROM change_log",
                "SELECT FROM change_log FOR UPDATE",
                "SELECT FROM change_log FOR KEY SHARE"
            })
    void aRowHeldByAnotherTransactionIsPassedOverAndLeftToTheNextMark(String hold) throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        try (Connection writer = log.open();
                Connection marker = impatient()) {
            writer.setAutoCommit(false);
            int at = hold.contains(" FOR ") ? hold.indexOf(" FOR ") : hold.length();
            TestLog.execute(
                    writer,
                    new StringBuilder(hold)
                            .insert(at, " WHERE row_id = '" + id(1) + "'")
                            .toString());
            assertThat(ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 1_000))
                    .isEqualTo(1);
            writer.rollback();
            assertThat(log.marks(7)).containsExactly("1:0", "2:1000");
            assertThat(ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 2_000))
                    .isEqualTo(1);
        }
        assertThat(log.marks(7)).containsExactly("1:2000", "2:1000");
    }

    /** In whichever order the mark comes to the two rows, one of these would be a deadlock if it waited. */
    @ParameterizedTest
    @CsvSource({"1, 2", "2, 1"})
    void aWriterWhoHoldsARowAndWantsAnotherNeitherWaitsNorDeadlocks(int held, int wanted) throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        try (Connection writer = impatient();
                Connection marker = impatient()) {
            writer.setAutoCommit(false);
            TestLog.upsert(writer, 7, held, 101);
            assertThat(ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 1_000))
                    .isEqualTo(1);
            assertThat(log.marks(7)).contains(held + ":0", wanted + ":1000");
            TestLog.upsert(writer, 7, wanted, 101);
            writer.commit();
        }
        assertThat(log.marks(7)).containsExactlyInAnyOrder(held + ":0", wanted + ":0", wanted + ":1000");
    }

    @Test
    void aWriterWhoWaitsForTheTransactionOfAMarkGoesOnWhenItEnds() throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        try (Connection writer = log.open();
                Connection marker = impatient()) {
            writer.setAutoCommit(false);
            marker.setAutoCommit(false);
            TestLog.upsert(writer, 7, 1, 101);
            assertThat(ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 1_000))
                    .isEqualTo(1);
            int backend = TestLog.backend(writer);
            CompletableFuture<Void> wanted = CompletableFuture.runAsync(() -> upsert(writer, 2));
            log.awaitBlocked(backend);
            marker.commit();
            wanted.join();
            writer.commit();
        }
        assertThat(log.marks(7)).containsExactly("1:0", "2:0", "2:1000");
    }

    /** An update that has begun to wait, and is given up, does not come to its end. */
    @Test
    void aMarkDoesNotBeginToWaitForARowThatIsHeld() throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        log.execute("""
                CREATE SEQUENCE ended;
                CREATE FUNCTION count_ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  PERFORM nextval('ended'); RETURN NULL; END $$;
                CREATE TRIGGER count_ended AFTER UPDATE ON change_log EXECUTE FUNCTION count_ended()""");
        try (Connection writer = log.open()) {
            writer.setAutoCommit(false);
            TestLog.execute(writer, "SELECT FROM change_log WHERE row_id = '" + id(1) + "' FOR UPDATE");
            assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, exported, 1_000))
                    .isEqualTo(1);
            assertThat(log.strings("SELECT last_value FROM ended")).containsExactly("2");
        } finally {
            log.execute("DROP FUNCTION count_ended CASCADE; DROP SEQUENCE ended");
        }
    }

    /** A policy is evaluated behind the look at a row's lock; there the mark is held up, until a writer has come. */
    @Test
    void aWriterWhoComesBetweenTheLookAndTheUpdateIsPassedOverToo() throws SQLException {
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        RowVersions exported = log.versions(7);
        log.execute("""
                CREATE TABLE go();
                CREATE FUNCTION hold_up() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                  WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN true; END $$;
                CREATE ROLE held_up;
                GRANT SELECT, UPDATE ON change_log TO held_up;
                ALTER TABLE change_log ENABLE ROW LEVEL SECURITY;
                CREATE POLICY hold_up ON change_log TO held_up USING (hold_up())""");
        try (Connection writer = log.open();
                Connection marker = impatient()) {
            TestLog.execute(marker, "SET ROLE held_up");
            int backend = TestLog.backend(marker);
            CompletableFuture<Long> marked =
                    CompletableFuture.supplyAsync(() -> ChangeLog.markFlushedVersions(marker, LOG, 7, exported, 1_000));
            while (log.strings("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " + backend)
                    .isEmpty()) {
                Thread.onSpinWait();
            }
            writer.setAutoCommit(false);
            TestLog.execute(writer, "SELECT FROM change_log WHERE row_id = '" + id(1) + "' FOR UPDATE");
            log.execute("INSERT INTO go DEFAULT VALUES");
            assertThat(marked.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo(1);
            String patience = Jdbc.queryOne(marker, "SHOW lock_timeout", statement -> {}, row -> row.getString(1));
            assertThat(patience).isEqualTo("3s");
        } finally {
            log.execute("""
                    ALTER TABLE change_log DISABLE ROW LEVEL SECURITY;
                    DROP POLICY hold_up ON change_log;
                    REVOKE ALL ON change_log FROM held_up;
                    DROP ROLE held_up;
                    DROP FUNCTION hold_up;
                    DROP TABLE go""");
        }
        assertThat(log.marks(7)).containsExactly("1:0", "2:1000");
    }

    /** PostgreSQL leaves the writer's own lock on a row that it has written by way of a conflict. */
    @Test
    void rowsThatNobodyIsAtAreMarkedByOneStatement() throws SQLException {
        log.dirty(7, 1, 99);
        log.dirty(7, 1, 100);
        log.dirty(7, 2, 100);
        assertThat(log.strings("SELECT count(*) FROM change_log WHERE xmax <> 0"))
                .containsExactly("1");
        AtomicInteger statements = new AtomicInteger();
        Connection counted = (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    statements.addAndGet(method.getName().equals("prepareStatement") ? 1 : 0);
                    return method.invoke(session, arguments);
                });
        assertThat(ChangeLog.markFlushedVersions(counted, LOG, 7, log.versions(7), 1_000))
                .isEqualTo(2);
        assertThat(statements).hasValue(1);
    }

    /** A partition's rows may lie at the same place as another's. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void rowsOfAPartitionedLogAreToldApart(boolean autoCommit) throws SQLException {
        log.execute("CREATE TABLE parted (LIKE change_log INCLUDING ALL) PARTITION BY LIST (schema_id)");
        log.execute("CREATE TABLE parted_7 PARTITION OF parted FOR VALUES IN (7)");
        log.execute("CREATE TABLE parted_8 PARTITION OF parted FOR VALUES IN (8)");
        log.execute(
                "INSERT INTO change_log SELECT s, '%s', 0, 100, NULL FROM generate_series(7, 8) s".formatted(id(1)));
        log.execute("INSERT INTO parted SELECT * FROM change_log");
        RowVersions.Collector versions = new RowVersions.Collector();
        String xmin =
                log.strings("SELECT xmin::text FROM parted WHERE schema_id = 7").get(0);
        versions.add(0, 1, 100, Integer.parseUnsignedInt(xmin));
        session.setAutoCommit(autoCommit);
        assertThat(ChangeLog.markFlushedVersions(session, "parted", 7, RowVersions.of(List.of(versions)), 1_000))
                .isEqualTo(1);
        assertThat(log.strings("SELECT schema_id || ':' || flushed_at FROM parted ORDER BY 1"))
                .containsExactly("7:1000", "8:0");
        log.execute("DROP TABLE parted");
        session.setAutoCommit(true);
    }

    /** A session that fails instead of waiting for long. */
    private static Connection impatient() throws SQLException {
        Connection connection = log.open();
        TestLog.execute(connection, "SET lock_timeout = '3s'");
        return connection;
    }

    private static void upsert(Connection connection, int row) {
        try {
            TestLog.upsert(connection, 7, row, 101);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aTransactionThatCommitsLateStaysDirty() throws SQLException {
        log.dirty(7, 1, 100);
        try (Connection late = log.open()) {
            late.setAutoCommit(false);
            TestLog.upsert(late, 7, 2, 99);
            RowVersions exported = log.versions(7);
            late.commit();
            assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, exported, 1_000))
                    .isEqualTo(1);
        }
        assertThat(log.marks(7)).containsExactly("1:1000", "2:0");
    }
}
