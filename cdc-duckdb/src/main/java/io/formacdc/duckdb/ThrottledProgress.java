package io.formacdc.duckdb;

import java.time.Duration;
import java.util.function.LongConsumer;

/** Sums up rows from several threads, and passes the sum on at most a few times a second. Thread-safe. */
final class ThrottledProgress implements LongConsumer {
    private static final long INTERVAL_NANOS = Duration.ofMillis(250).toNanos();

    private final LongConsumer listener;
    private long rows;
    private long lastNanos = System.nanoTime();

    ThrottledProgress(LongConsumer listener) {
        this.listener = listener;
    }

    @Override
    public synchronized void accept(long more) {
        rows += more;
        long now = System.nanoTime();
        if (now - lastNanos >= INTERVAL_NANOS) {
            lastNanos = now;
            listener.accept(rows);
        }
    }
}
