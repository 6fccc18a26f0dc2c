package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.Point;
import io.formacdc.duckdb.SteppedFlush.Step;
import io.formacdc.duckdb.SteppedFlush.When;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A PostgreSQL that ends sessions, runs out of patience, or will not serialize: the pass says so, and loses nothing. */
@Timeout(120)
@ExtendWith(NoSecretInLogs.class)
final class FaultyPostgresIT {
    private static final int ROWS = 12;

    @TempDir
    private Path spill;

    private TestHost host;
    private SteppedFlush flush;
    private Entities entities;
    private Connection other;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        flush = new SteppedFlush(host);
        entities = new Entities(host, 7).insertMany(ROWS);
        other = host.postgres.dataSource().getConnection();
        other.setAutoCommit(false);
    }

    @AfterEach
    void stop() throws SQLException {
        other.close();
        host.close();
    }

    private CdcConfig config() {
        return host.config().batchSize(6).spillDirectory(spill.toString()).build();
    }

    private SchemaFlushException failure(Step step) {
        Throwable thrown = catchThrowable(() -> flush.run(config(), step));
        assertThat(thrown).isInstanceOf(SchemaFlushException.class);
        return (SchemaFlushException) thrown;
    }

    private void assertNothingIsLost() throws SQLException {
        Leftovers.assertNone(host, spill);
        entities.assertViewEqualsPostgres(config());
        flush.run(config(), point -> {});
        entities.assertLakeEqualsPostgres(config());
    }

    /** Ends sessions of the library as soon as one is found that is at what the condition says. */
    private CompletableFuture<Void> terminateOnce(String condition) {
        return CompletableFuture.runAsync(() -> Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    try (Connection killer = host.postgres.dataSource().getConnection()) {
                        return !TestHost.column(
                                        killer,
                                        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE datname ="
                                                + " current_database() AND application_name = 'forma-cdc' AND "
                                                + condition)
                                .isEmpty();
                    }
                }));
    }

    private void slowDown(String table, double seconds) throws SQLException {
        host.sql("ALTER TABLE %s RENAME TO %s_real".formatted(table, table));
        host.sql("CREATE VIEW %s AS SELECT e.* FROM %s_real e, LATERAL (SELECT pg_sleep(%s + 0 * length(e::text))) s"
                .formatted(table, table, seconds));
    }

    private void speedUp(String table) throws SQLException {
        host.sql("DROP VIEW " + table);
        host.sql("ALTER TABLE %s_real RENAME TO %s".formatted(table, table));
    }

    @ParameterizedTest
    @ValueSource(strings = {"entity_main", "eav_data"})
    void backendTerminatedInTheMiddleOfACopy(String table) throws SQLException {
        slowDown(table, 0.2);
        CompletableFuture<Void> killed =
                terminateOnce("state = 'active' AND query LIKE 'COPY%' AND wait_event = 'PgSleep'");

        assertThat(failure(point -> {})).hasMessageContaining("schema 7, export of 6 rows: ");

        killed.join();
        assertThat(host.dataKeys()).isEmpty();
        assertThat(entities.dirty()).hasSize(ROWS);
        speedUp(table);
        assertNothingIsLost();
    }

    @Test
    void backendTerminatedInTheMiddleOfTheMark() throws SQLException {
        CompletableFuture<?>[] killed = new CompletableFuture<?>[1];
        Step waitAtMark = at(new Point(Effect.MARK, 1, When.BEFORE), () -> {
            lock("change_log");
            killed[0] = terminateOnce("wait_event_type = 'Lock' AND query LIKE '%UPDATE%'");
        });

        assertThat(failure(waitAtMark)).hasMessageContaining("schema 7, mark of the rows of ");

        killed[0].join();
        other.rollback();
        assertThat(entities.dirty()).hasSize(ROWS);
        assertThat(host.listedKeys(7)).isNotEmpty();
        assertNothingIsLost();
    }

    @Test
    void sessionOfTheLockTerminatedAfterAnyEffectMarksNothing() throws SQLException {
        for (Effect effect : List.of(Effect.STATS, Effect.SNAPSHOT, Effect.EXPORT, Effect.PUT, Effect.MANIFEST_PUT)) {
            Step kill = at(
                    new Point(effect, 1, When.AFTER),
                    () -> host.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"));

            assertThat(failure(kill)).as("%s", effect).hasMessageContaining("schema 7, ");

            assertThat(entities.dirty()).as("%s", effect).hasSize(ROWS);
            entities.assertViewEqualsPostgres(config());
            Leftovers.assertNone(host, spill);
        }
        assertNothingIsLost();
    }

    @ParameterizedTest
    @ValueSource(strings = {"idle_in_transaction_session_timeout", "statement_timeout", "transaction_timeout"})
    void timeoutOfTheServerFailsThePassOrDoesNotMatter(String timeout) throws SQLException {
        assumeTrue(
                host.count("SELECT count(*) FROM pg_settings WHERE name = '" + timeout + "'") == 1,
                "this PostgreSQL has no " + timeout + ", which came with version 17");
        slowDown("eav_data", 0.1);
        setForLibrary(timeout, "'250ms'");

        Throwable thrown = catchThrowable(() -> flush.run(config(), point -> {}));

        if (thrown != null) {
            assertThat(thrown)
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("schema 7, ")
                    .hasMessageContaining("SQLSTATE ");
        }
        setForLibrary(timeout, "DEFAULT");
        speedUp("eav_data");
        assertNothingIsLost();
    }

    /** Who joins the snapshot after its session was cancelled hears that there is no such snapshot. */
    @ParameterizedTest
    @ValueSource(strings = {"entity_main", "eav_data"})
    void cancelledStatementIsReportedAndNotTheSnapshotThatWentWithIt(String table) throws SQLException {
        slowDown(table, 0.2);
        setForLibrary("statement_timeout", "'250ms'");

        assertThat(failure(point -> {}))
                .hasMessageContaining("schema 7, export of 6 rows: ")
                .hasMessageContaining("SQLSTATE 57014");

        setForLibrary("statement_timeout", "DEFAULT");
        speedUp(table);
        assertNothingIsLost();
    }

    /** For every new session of the database. */
    private void setForLibrary(String setting, String value) throws SQLException {
        host.sql("ALTER DATABASE " + host.postgres.database() + " SET " + setting + " = " + value);
    }

    @ParameterizedTest
    @EnumSource(names = {"SNAPSHOT", "EXPORT", "MANIFEST_PUT"})
    void writersAtTheSameTimeAreNoSerializationFailureThatLosesARow(Effect effect) throws SQLException {
        setForLibrary("default_transaction_isolation", "serializable");
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            writer.setAutoCommit(false);
            Step write = at(new Point(effect, 1, When.AFTER), () -> {
                entities.updateAll(writer);
                writer.commit();
            });
            Throwable thrown = catchThrowable(() -> flush.run(config(), write));
            assertThat(thrown == null || thrown instanceof SchemaFlushException).isTrue();
        }
        assertThat(entities.dirty()).isNotEmpty();
        assertNothingIsLost();
    }

    /** The first statement of the mark passes over the row that is held, the second one finds it changed since it began. */
    @Test
    void aMarkThatCannotBeSerializedFailsThePassAndLosesNothing() throws SQLException {
        setForLibrary("default_transaction_isolation", "serializable");
        host.sql("""
                CREATE SEQUENCE marks;
                CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF current_setting('application_name') = 'forma-cdc' AND nextval('marks') = 2 THEN
                    PERFORM pg_advisory_xact_lock(1);
                  END IF;
                  RETURN NULL; END $$;
                CREATE TRIGGER hold_up BEFORE UPDATE ON change_log EXECUTE FUNCTION hold_up()""");
        CompletableFuture<?>[] changed = new CompletableFuture<?>[1];
        Step holdRows = at(new Point(Effect.MARK, 1, When.BEFORE), () -> {
            try (Statement statement = other.createStatement()) {
                statement.execute("SELECT pg_advisory_lock(1)");
                statement.execute("SELECT FROM change_log FOR UPDATE");
            }
            changed[0] = CompletableFuture.runAsync(this::changeAllOnceTheMarkIsHeldUp);
        });

        assertThat(failure(holdRows))
                .hasMessageContaining("schema 7, mark of the rows of ")
                .hasMessageContaining("SQLSTATE 40001");

        changed[0].join();
        assertThat(entities.dirty()).hasSize(ROWS);
        host.sql("DROP FUNCTION hold_up CASCADE");
        setForLibrary("default_transaction_isolation", "DEFAULT");
        assertNothingIsLost();
    }

    private void changeAllOnceTheMarkIsHeldUp() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() ->
                        host.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0);
        try (Statement statement = other.createStatement()) {
            entities.updateAll(other);
            other.commit();
            statement.execute("SELECT pg_advisory_unlock(1)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void readOnlyServerIsNamedBeforeAnythingIsPut() throws SQLException {
        setForLibrary("default_transaction_read_only", "on");

        assertThat(catchThrowable(() -> flush.run(config(), point -> {})))
                .isInstanceOf(CdcException.class)
                .hasMessageStartingWith("the database is read-only for this session");

        setForLibrary("default_transaction_read_only", "DEFAULT");
        assertThat(host.dataKeys()).isEmpty();
        assertThat(entities.dirty()).hasSize(ROWS);
        assertNothingIsLost();
    }

    private interface Action {
        void run() throws SQLException;
    }

    private static Step at(Point where, Action action) {
        return point -> {
            if (point.equals(where)) {
                action.run();
            }
        };
    }

    private void lock(String table) throws SQLException {
        try (Statement statement = other.createStatement()) {
            statement.execute("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
        }
    }
}
