package io.formacdc.duckdb;

import io.formacdc.core.CdcListener;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a listener how much memory a DuckDB holds while it works, which only another thread can see. Soon after the
 * beginning, so that short work is seen too, then at ever longer intervals. The thread is joined by {@link #close()}.
 */
final class MemorySampler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MemorySampler.class);

    private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(10).toNanos();
    private static final long LONGEST_PAUSE_NANOS = Duration.ofMillis(500).toNanos();

    private static final String SAMPLE = "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT,"
            + " coalesce(sum(temporary_storage_bytes), 0)::BIGINT FROM duckdb_memory()";

    private final Connection connection;
    private final CdcListener listener;
    private final Thread thread = new Thread(this::run, "forma-cdc-duckdb-memory");
    private volatile boolean closed;

    private MemorySampler(Connection connection, CdcListener listener) {
        this.connection = connection;
        this.listener = listener;
    }

    /** @param connection to sample on, closed with this */
    static MemorySampler start(Connection connection, CdcListener listener) {
        MemorySampler sampler = new MemorySampler(connection, listener);
        sampler.thread.setDaemon(true);
        sampler.thread.start();
        return sampler;
    }

    private void run() {
        long pauseNanos = FIRST_PAUSE_NANOS;
        try (connection;
                Statement statement = connection.createStatement()) {
            LockSupport.parkNanos(pauseNanos);
            while (!closed) {
                try (ResultSet row = statement.executeQuery(SAMPLE)) {
                    row.next();
                    listener.duckDbMemory(row.getLong(1), row.getLong(2));
                }
                pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
                LockSupport.parkNanos(pauseNanos);
            }
        } catch (SQLException e) {
            LOG.debug("DuckDB's memory is not sampled any more", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
