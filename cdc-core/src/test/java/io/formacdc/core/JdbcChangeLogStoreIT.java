package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.ChangeLogStore.Locked;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JdbcChangeLogStoreIT extends ChangeLogStoreContract {
    private static TestLog log;
    private static ChangeLogStore store;

    @BeforeAll
    static void open() throws SQLException {
        log = new TestLog();
        store = new JdbcChangeLogStore(log.database.dataSource(), "");
    }

    @AfterAll
    static void close() throws SQLException {
        log.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        log.execute("TRUNCATE change_log");
    }

    @Override
    protected ChangeLogStore store() {
        return store;
    }

    @Override
    protected void dirty(int schemaId, UUID rowId, long changedAtMillis) throws SQLException {
        log.dirty(schemaId, Math.toIntExact(rowId.getLeastSignificantBits()), changedAtMillis);
    }

    @Override
    protected RowVersions versions(int schemaId) throws SQLException {
        return log.versions(schemaId);
    }

    @Test
    void flushedRowsAreNotDirty() throws SQLException {
        log.execute("INSERT INTO change_log VALUES (8, gen_random_uuid(), 1000, 50, NULL)");
        assertThat(store.dirtySchemas()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"VIEW", "MATERIALIZED VIEW"})
    void aViewIsRefusedBecauseNothingInItCanBeMarked(String kind) throws SQLException {
        log.execute("CREATE " + kind + " log_view AS SELECT * FROM change_log");
        try {
            assertThatThrownBy(new JdbcChangeLogStore(log.database.dataSource(), "log_view")::dirtySchemas)
                    .isInstanceOf(CdcException.class)
                    .hasMessage("\"log_view\" is a view; the change log must be a table, whose rows can be marked as"
                            + " flushed");
        } finally {
            log.execute("DROP " + kind + " log_view");
        }
    }

    @Test
    void aRoleThatMayNotMarkIsToldSoBeforeAnythingIsFlushed() throws SQLException {
        log.execute("CREATE ROLE \"Mr. Reader\"");
        log.execute("GRANT SELECT ON change_log TO \"Mr. Reader\"");
        try (TestPool pool = new TestPool(log.database.dataSource(), true)) {
            try (Connection session = pool.getConnection()) {
                TestLog.execute(session, "SET ROLE \"Mr. Reader\"");
            }
            ChangeLogStore ofTheReader = new JdbcChangeLogStore(pool, "public.change_log");
            assertThat(ofTheReader.dirtySchemas()).isEmpty();
            log.dirty(7, 1, 100);
            assertThatThrownBy(ofTheReader::dirtySchemas)
                    .isInstanceOf(CdcException.class)
                    .hasMessage("role \"Mr. Reader\" may not update flushed_at of \"public\".\"change_log\", so it can"
                            + " mark nothing as flushed: GRANT UPDATE (flushed_at) ON \"public\".\"change_log\" TO"
                            + " \"Mr. Reader\"");
            log.execute("GRANT UPDATE (flushed_at) ON change_log TO \"Mr. Reader\"");
            assertThat(ofTheReader.dirtySchemas()).hasSize(1);
            assertThat(pool.borrowed).isZero();
        } finally {
            log.execute("DROP OWNED BY \"Mr. Reader\"");
            log.execute("DROP ROLE \"Mr. Reader\"");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyConnectionGoesBackAsItCameAndNothingStaysUncommitted(boolean autoCommit) throws SQLException {
        log.dirty(7, 1, 100);
        try (TestPool pool = new TestPool(log.database.dataSource(), autoCommit)) {
            ChangeLogStore pooled = new JdbcChangeLogStore(pool, "change_log");
            assertThat(pooled.dirtySchemas()).hasSize(1);
            try (Locked locked = pooled.tryLock(7).orElseThrow()) {
                assertThat(locked.stats()).isEqualTo(new ChangeLog.Stats(1, 100));
                assertThat(pooled.tryLock(7)).isEmpty();
                assertThat(locked.markFlushedVersions(log.versions(7), 1_000)).isEqualTo(1);
                assertThat(log.marks(7)).containsExactly("1:1000");
            }
            ChangeLogStore broken = new JdbcChangeLogStore(pool, "nowhere");
            assertThatThrownBy(broken::dirtySchemas)
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("search for dirty schemas in \"nowhere\" failed")
                    .hasMessageContaining("nowhere");
            assertThat(pool.borrowed).isZero();
            assertThat(pool.idleSessions()).isEqualTo(2);
            for (int i = 0; i < 2; i++) {
                assertThat(pool.getConnection().getAutoCommit()).isEqualTo(autoCommit);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPurgeIsMadeOfSmallTransactions(boolean autoCommit) throws SQLException {
        log.execute("CREATE TABLE purged (rows bigint, transaction xid8 DEFAULT pg_current_xact_id())");
        log.execute("CREATE FUNCTION note_purge() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO purged"
                + " SELECT count(*) FROM gone HAVING count(*) > 0; RETURN NULL; END'");
        log.execute("CREATE TRIGGER note_purge AFTER DELETE ON change_log REFERENCING OLD TABLE AS gone"
                + " EXECUTE FUNCTION note_purge()");
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 9, 5, NULL FROM generate_series(1, 25)");
        try (TestPool pool = new TestPool(log.database.dataSource(), autoCommit)) {
            assertThat(new JdbcChangeLogStore(pool, "").purgeFlushed(7, 10, 10)).isEqualTo(25);
            assertThat(pool.borrowed).isZero();
            assertThat(pool.getConnection().getAutoCommit()).isEqualTo(autoCommit);
            assertThat(log.strings("SELECT sum(rows) FROM purged GROUP BY transaction ORDER BY min(transaction::text)"))
                    .containsExactly("10", "10", "5");
        } finally {
            log.execute("DROP FUNCTION note_purge CASCADE");
            log.execute("DROP TABLE purged");
        }
    }

    @Test
    void anInterruptedPurgeSaysWhatIsGone() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 9, 5, NULL FROM generate_series(1, 25)");
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> new JdbcChangeLogStore(log.database.dataSource(), "").purgeFlushed(7, 10, 10))
                .isInstanceOf(CdcInterruptedException.class)
                .hasMessage("interrupted during the purge of schema 7, after 0 rows were deleted");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(log.marks(7)).hasSize(25);
    }

    @Test
    void aLostSessionCanNeitherCountNorMark() throws SQLException {
        log.dirty(7, 1, 100);
        RowVersions versions = log.versions(7);
        try (TestPool pool = new TestPool(log.database.dataSource(), true)) {
            ChangeLogStore pooled = new JdbcChangeLogStore(pool, "");
            int backend;
            try (Connection next = pool.getConnection()) {
                backend = TestLog.backend(next);
            }
            try (Locked locked = pooled.tryLock(7).orElseThrow()) {
                log.execute("SELECT pg_terminate_backend(" + backend + ", 20000)");
                assertThatThrownBy(() -> locked.markFlushedVersions(versions, 1_000))
                        .isInstanceOf(DatabaseException.class)
                        .hasMessageContaining("mark of flushed rows of schema 7 failed");
                assertThatThrownBy(locked::stats)
                        .isInstanceOf(DatabaseException.class)
                        .hasMessageContaining("count of the dirty rows of schema 7 failed");
            }
            assertThat(pool.borrowed).isZero();
        }
        assertThat(log.marks(7)).containsExactly("1:0");
    }

    @Test
    void anImpossibleTableNameIsRefusedAtOnce() {
        assertThatThrownBy(() -> new JdbcChangeLogStore(log.database.dataSource(), "a.b.c"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"a.b.c\" is no table name");
    }

    @Test
    void aPoolerThatMovesTheLocksTransactionsIsRefusedAndTheLockReleased() throws SQLException {
        try (TransactionPooler pooler =
                new TransactionPooler(log.database.dataSource(), 3, TransactionPooler.Order.LAST_USED_FIRST)) {
            ChangeLogStore pooled = new JdbcChangeLogStore(pooler.dataSource(), "");
            assertThatThrownBy(() -> pooled.tryLock(7))
                    .isExactlyInstanceOf(CdcException.class)
                    .hasMessageContaining("the lock of schema 7 did not stay with the session that took it")
                    .hasMessageContaining("session mode");
            store.tryLock(7).orElseThrow().close();
        }
    }

    @Test
    void aPoolerIsLookedForOnceWhicheverConnectionsComeLater() throws SQLException {
        DataSource sessions = log.database.dataSource();
        JdbcChangeLogStore first = new JdbcChangeLogStore(sessions, "");
        try (TestPool later = new TestPool(sessions, true)) {
            first.over(sessions).tryLock(7).orElseThrow().close();
            first.over(later).tryLock(7).orElseThrow().close();
            assertThat(later.idleSessions()).isEqualTo(1);
        }
        try (TestPool unasked = new TestPool(sessions, true)) {
            new JdbcChangeLogStore(unasked, "").tryLock(7).orElseThrow().close();
            assertThat(unasked.idleSessions()).isEqualTo(2);
        }
    }

    @Test
    void aPoolerThatGoesRoundIsRefused() throws SQLException {
        try (TransactionPooler pooler =
                new TransactionPooler(log.database.dataSource(), 3, TransactionPooler.Order.ROUND_ROBIN)) {
            ChangeLogStore pooled = new JdbcChangeLogStore(pooler.dataSource(), "");
            assertThatThrownBy(() -> pooled.tryLock(7)).hasMessageContaining("did not stay with the session");
        }
    }
}
