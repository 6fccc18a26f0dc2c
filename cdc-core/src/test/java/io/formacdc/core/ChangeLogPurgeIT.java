package io.formacdc.core;

import static io.formacdc.core.TestLog.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChangeLogPurgeIT {
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
    void purgeDeletesOnlyHistoryOfTheSchemaBeforeTheBound() throws SQLException {
        log.execute("INSERT INTO change_log SELECT s, '" + id(1) + "', f, 5, NULL"
                + " FROM unnest(ARRAY[7, 8]) s, unnest(ARRAY[-3, 0, 1, 99, 100, 101]) f");
        ChangeLog.PurgedBatch batch =
                ChangeLog.purgeFlushed(session, "", 7, 100, 10, null).orElseThrow();
        assertThat(batch).isEqualTo(new ChangeLog.PurgedBatch(2, id(1), 99));
        assertThat(log.marks(7)).containsExactly("1:-3", "1:0", "1:100", "1:101");
        assertThat(log.marks(8)).hasSize(6);
        assertThat(ChangeLog.purgeFlushed(session, LOG, 7, 100, 10, batch)).isEmpty();
    }

    /** A writer of the row would take an older version for a new one, were this forgotten. */
    @Test
    void aVersionThatIsAheadOfTheClockIsKeptUntilItsTimeHasCome() throws SQLException {
        log.execute("INSERT INTO change_log VALUES (7, '" + id(1) + "', 50, 100, NULL), (7, '" + id(2)
                + "', 50, 99, NULL)");
        ChangeLog.purgeFlushed(session, LOG, 7, 100, 10, null);
        assertThat(log.marks(7)).containsExactly("1:50");
    }

    @Test
    void purgeGoesOnBehindTheLastBatchInKeyOrder() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, ('00000000-0000-0000-0000-00000000000' || r)::uuid, f, 5, NULL"
                + " FROM generate_series(1, 3) r, generate_series(1, 2) f");
        ChangeLog.PurgedBatch first =
                ChangeLog.purgeFlushed(session, LOG, 7, 100, 3, null).orElseThrow();
        assertThat(first).isEqualTo(new ChangeLog.PurgedBatch(3, id(2), 1));
        assertThat(log.marks(7)).containsExactly("2:2", "3:1", "3:2");
        assertThat(ChangeLog.purgeFlushed(session, LOG, 7, 100, 3, first))
                .contains(new ChangeLog.PurgedBatch(3, id(3), 2));
    }

    @Test
    void purgeTakesPartitionedTables() throws SQLException {
        log.execute("CREATE TABLE hashed (LIKE change_log INCLUDING ALL) PARTITION BY HASH (row_id)");
        log.execute("CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0)");
        log.execute("CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
        log.execute("INSERT INTO hashed SELECT 7, gen_random_uuid(), g % 2, 5, NULL FROM generate_series(1, 100) g");
        assertThat(ChangeLog.purgeFlushed(session, "hashed", 7, 100, 1000, null)
                        .orElseThrow()
                        .rows())
                .isEqualTo(50);
        assertThat(log.strings("SELECT count(*) FROM hashed WHERE flushed_at = 0"))
                .containsExactly("50");
    }

    @Test
    void purgeWaitsForNobody() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, ('00000000-0000-0000-0000-00000000000' || r)::uuid, 9, 5, NULL"
                + " FROM generate_series(1, 3) r");
        try (Connection other = log.open()) {
            other.setAutoCommit(false);
            TestLog.execute(other, "SELECT FROM change_log WHERE row_id = '" + id(2) + "' FOR UPDATE");
            log.execute("SET lock_timeout = '1s'");
            assertThat(ChangeLog.purgeFlushed(session, LOG, 7, 100, 10, null)
                            .orElseThrow()
                            .rows())
                    .isEqualTo(2);
            log.execute("SET lock_timeout = 0");
            other.rollback();
        }
        assertThat(log.marks(7)).containsExactly("2:9");
    }

    @Test
    void purgeBeforeAMarkDoesNotDisturbIt() throws SQLException {
        log.execute("INSERT INTO change_log VALUES (7, '" + id(1) + "', 1000, 5, NULL)");
        log.execute("INSERT INTO change_log VALUES (7, '" + id(1) + "', 999, 4, NULL)");
        log.dirty(7, 1, 6);
        RowVersions dirty = log.versions(7);
        ChangeLog.purgeFlushed(session, LOG, 7, 1000, 10, null);
        // The clock was set back: the mark looks up the row's last one.
        assertThat(ChangeLog.markFlushedVersions(session, LOG, 7, dirty, 1000)).isEqualTo(1);
        assertThat(log.marks(7)).containsExactly("1:1000", "1:1001");
    }

    @Test
    void aPurgeWithoutRowsOrOfNoSchemaIsRefused() {
        assertThatThrownBy(() -> ChangeLog.purgeFlushed(session, LOG, 7, 100, 0, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxRows must be at least 1, not 0");
        assertThatThrownBy(() -> ChangeLog.purgeFlushed(session, LOG, 0, 100, 1, null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ChangeLog.purgeFlushed(session, "nowhere", 7, 100, 1, null))
                .isInstanceOf(DatabaseException.class)
                .hasMessageContaining("purge of flushed rows of schema 7 failed");
    }

    /** Each batch begins where the last one ended; otherwise all of them together read the log once for each. */
    @Test
    void purgeOfManyBatchesIsLinear() throws SQLException {
        log.execute("INSERT INTO change_log SELECT 7, gen_random_uuid(), 9, 5, NULL FROM generate_series(1, 300000)");
        log.execute("ANALYZE change_log");
        log.execute("SET statement_timeout = '1s'");
        long rows = 0;
        try {
            ChangeLog.PurgedBatch batch = null;
            do {
                batch = ChangeLog.purgeFlushed(session, LOG, 7, 100, 5_000, batch)
                        .orElse(null);
                rows += batch == null ? 0 : batch.rows();
            } while (batch != null);
        } finally {
            log.execute("SET statement_timeout = 0");
        }
        assertThat(rows).isEqualTo(300_000);
    }
}
