package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcInterruptedException;
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
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
final class InterruptIT {
    private static final Duration PROMPTLY = Duration.ofSeconds(2);

    @TempDir
    private Path spill;

    private TestHost host;
    private SteppedFlush flush;
    private Entities entities;
    private Connection other;
    private final List<CompletableFuture<Void>> interrupts = new CopyOnWriteArrayList<>();
    private volatile long interruptedAtNanos;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        flush = new SteppedFlush(host);
        entities = new Entities(host, 7).insertMany(30);
        other = host.postgres.dataSource().getConnection();
        other.setAutoCommit(false);
    }

    @AfterEach
    void stop() throws SQLException {
        other.close();
        host.close();
    }

    @Test
    void interruptEndsAnExportThatWaitsForALock() throws SQLException {
        lockTable("entity_main");
        interruptOnceSomethingWaits();

        assertThat(assertInterrupted(point -> {})).hasMessageStartingWith("schema 7, export of 10 rows: interrupted");

        assertThat(entities.dirty()).hasSize(30);
        assertThat(host.dataKeys()).isEmpty();
    }

    @Test
    void interruptEndsASearchThatWaitsForALock() throws SQLException {
        lockTable("change_log");
        interruptOnceSomethingWaits();

        assertInterrupted(point -> {});
    }

    @Test
    void interruptEndsASelectionThatWaitsForALock() throws SQLException {
        Step step = at(Effect.LAST_ROW, 1, When.BEFORE, () -> {
            lockTable("change_log");
            interruptOnceSomethingWaits();
        });
        assertInterrupted(step);
        other.rollback();
        assertThat(entities.dirty()).hasSize(30);
    }

    @Test
    void interruptEndsAMarkThatWaitsForALock() throws SQLException {
        Step step = at(Effect.MARK, 1, When.BEFORE, () -> {
            lockTable("change_log");
            interruptOnceSomethingWaits();
        });

        assertThat(assertInterrupted(step)).hasMessageStartingWith("schema 7, mark of the rows of ");

        assertThat(host.listedKeys(7)).hasSize(1);
        other.rollback();
        assertThat(entities.dirty()).hasSize(30);
        flush.run(config().build(), point -> {});
        entities.assertLakeEqualsPostgres(config().build());
    }

    @Test
    void interruptBetweenChunksKeepsThoseBeforeAndBeginsNoMore() throws SQLException {
        new Entities(host, 8).insertMany(1);
        Step step = at(Effect.MARK, 2, When.AFTER, this::interruptThis);

        assertInterrupted(step);

        assertThat(entities.dirty()).hasSize(10);
        assertThat(host.listedKeys(7)).hasSize(2);
        assertThat(host.listedKeys(8)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Effect.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"DELETE", "OTHER_SQL"})
    void interruptBeforeAnyEffectEndsThePassAsAnInterrupt(Effect effect) throws SQLException {
        assertInterrupted(at(effect, 1, When.BEFORE, this::interruptThis));

        assertThat(Thread.interrupted()).isFalse();
        flush.run(config().build(), point -> {});
        entities.assertLakeEqualsPostgres(config().build());
    }

    @Test
    void queryTimeoutEndsAnExportThatPostgresKeepsWaiting() throws SQLException {
        lockTable("entity_main");
        assertTimesOut();
    }

    @Test
    void queryTimeoutEndsAnExportThatPostgresTakesTooLongFor() throws SQLException {
        host.sql("ALTER TABLE eav_data RENAME TO eav_real");
        host.sql("CREATE VIEW eav_data AS SELECT e.* FROM eav_real e, LATERAL (SELECT pg_sleep(30)) s");
        assertTimesOut();
    }

    private void assertTimesOut() throws SQLException {
        long begin = System.nanoTime();
        Throwable thrown = catchThrowable(
                () -> flush.run(config().queryTimeout(Duration.ofSeconds(1)).build(), point -> {}));

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(4));
        assertThat(thrown)
                .isInstanceOf(SchemaFlushException.class)
                .hasMessageContaining("schema 7, export of 10 rows: the export took longer than queryTimeout PT1S");
        Leftovers.assertNone(host, spill);
        assertThat(entities.dirty()).hasSize(30);
        assertThat(host.dataKeys()).isEmpty();
    }

    private Throwable assertInterrupted(Step step) {
        Throwable thrown = catchThrowable(() -> flush.run(config().build(), step));
        Duration took = Duration.ofNanos(System.nanoTime() - interruptedAtNanos);
        assertThat(Thread.interrupted()).as("interrupt flag").isTrue();
        interrupts.forEach(CompletableFuture::join);

        assertThat(thrown).isInstanceOf(CdcInterruptedException.class);
        assertThat(took).isLessThan(PROMPTLY);
        Leftovers.assertNone(host, spill);
        return thrown;
    }

    private io.formacdc.core.CdcConfigBuilder config() {
        return host.config().batchSize(10).spillDirectory(spill.toString());
    }

    private void lockTable(String table) throws SQLException {
        try (Statement statement = other.createStatement()) {
            statement.execute("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
        }
    }

    private interface Action {
        void run() throws SQLException;
    }

    private static Step at(Effect effect, int occurrence, When when, Action action) {
        return point -> {
            if (point.equals(new Point(effect, occurrence, when))) {
                action.run();
            }
        };
    }

    private void interruptThis() {
        interruptedAtNanos = System.nanoTime();
        Thread.currentThread().interrupt();
    }

    private void interruptOnceSomethingWaits() {
        Thread pass = Thread.currentThread();
        interrupts.add(CompletableFuture.runAsync(() -> {
                    try (Connection watcher = host.postgres.dataSource().getConnection()) {
                        Awaitility.await()
                                .atMost(Duration.ofSeconds(20))
                                .until(() -> !Entities.rows(watcher, """
                                SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
                                AND application_name = 'forma-cdc' AND wait_event_type = 'Lock'""").isEmpty());
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .thenRun(() -> {
                    interruptedAtNanos = System.nanoTime();
                    pass.interrupt();
                }));
    }
}
