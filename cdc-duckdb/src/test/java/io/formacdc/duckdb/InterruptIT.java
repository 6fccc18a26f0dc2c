package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.SchemaFlushException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pass ends soon after its thread is interrupted, or its time is over, and leaves nothing behind. */
class InterruptIT {
    private static final Duration SOON = Duration.ofSeconds(2);

    @TempDir
    Path spill;

    private TestHost host;

    @BeforeEach
    void threeChunksOfDirtyRows() throws SQLException {
        host = new TestHost();
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, ltbase_created_at, ltbase_updated_at)"
                        + " SELECT 7, gen_random_uuid(), 'row ' || i, 1, i FROM generate_series(1, 300) i");
        host.sql("INSERT INTO change_log SELECT 7, ltbase_row_id, 0, ltbase_updated_at, NULL FROM entity_main");
    }

    @AfterEach
    void nothingIsLeftBehind() throws Exception {
        try (TestHost closed = host;
                Stream<Path> left = Files.list(spill)) {
            assertThat(left).isEmpty();
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("forma-cdc"));
            await().atMost(SOON)
                    .until(() -> host.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                    + " AND application_name = 'forma-cdc'")
                            == 0);
            assertThat(host.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7"))
                    .isZero();
        }
    }

    @Test
    void anInterruptDuringTheExportEndsThePass() throws Exception {
        try (Connection blocker = lock("LOCK TABLE entity_main IN ACCESS EXCLUSIVE MODE")) {
            Duration took = interruptWhen(() -> isWaitingFor("entity_main"), CdcListener.NONE);
            assertThat(took).isLessThan(SOON);
            blocker.rollback();
        }
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isEqualTo(300);
    }

    @Test
    void anInterruptWhileTheMarkWaitsForARowEndsThePass() throws Exception {
        try (Connection blocker = lock("SELECT * FROM change_log FOR UPDATE")) {
            Duration took = interruptWhen(() -> isWaitingFor("UPDATE"), CdcListener.NONE);
            assertThat(took).isLessThan(SOON);
            blocker.rollback();
        }
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isEqualTo(300);
        host.flush(null);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isZero();
    }

    @Test
    void anInterruptBetweenChunksKeepsWhatIsFlushed() throws Exception {
        CdcListener interrupting = new CdcListener() {
            @Override
            public void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
                Thread.currentThread().interrupt();
            }
        };
        Duration took = interruptWhen(() -> true, interrupting);
        assertThat(took).isLessThan(SOON);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isEqualTo(200);
    }

    @Test
    void anExportThatTakesTooLongIsCancelled() throws Exception {
        CdcConfig impatient =
                config().toBuilder().queryTimeout(Duration.ofMillis(500)).build();
        try (Connection blocker = lock("LOCK TABLE eav_data IN ACCESS EXCLUSIVE MODE")) {
            long begin = System.nanoTime();
            assertThatThrownBy(() -> Cdc.runOnce(impatient, host.client, false, null))
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("queryTimeout PT0.5S");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(4));
            blocker.rollback();
        }
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isEqualTo(300);
    }

    private CdcConfig config() {
        return host.config().batchSize(100).spillDirectory(spill.toString()).build();
    }

    /** Runs a pass on a thread of its own, interrupts it once, and returns how long it went on. */
    private Duration interruptWhen(Condition reached, CdcListener listener) throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        CompletableFuture<Boolean> flagAfterwards = new CompletableFuture<>();
        Thread pass = new Thread(() -> {
            try (CdcRunner runner = CdcRunner.create(config(), host.client, null, listener)) {
                thrown.set(catchThrowable(() -> runner.runOnce(false)));
                flagAfterwards.complete(Thread.currentThread().isInterrupted());
            } catch (RuntimeException e) {
                flagAfterwards.completeExceptionally(e);
            }
        });
        pass.start();
        await().atMost(Duration.ofSeconds(60)).until(() -> reached.holds());
        if (listener == CdcListener.NONE) {
            pass.interrupt();
        } else {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0") == 200);
        }
        long interrupted = System.nanoTime();
        pass.join(60_000);
        assertThat(flagAfterwards).isCompletedWithValue(true);
        assertThat(thrown.get()).isInstanceOf(CdcInterruptedException.class);
        return Duration.ofNanos(System.nanoTime() - interrupted);
    }

    private interface Condition {
        boolean holds() throws SQLException;
    }

    private boolean isWaitingFor(String inQuery) throws SQLException {
        return host.count("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forma-cdc'"
                        + " AND datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%" + inQuery
                        + "%'")
                > 0;
    }

    private Connection lock(String sql) throws SQLException {
        Connection connection = host.postgres.dataSource().getConnection();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
        return connection;
    }
}
