package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** One execution of {@link CopyFunction}: the ranges that nobody has claimed yet, and who reads. Thread-safe. */
final class CopyScan {
    /** If nobody reads for so long, DuckDB has turned to something else, or has given up. */
    private static final Duration PATIENCE = Duration.ofMillis(100);

    private static final long LOOK_MILLIS = 5;

    private final CopySource source;
    private final Queue<RowIdInterval> unclaimed;

    /** Those that have claimed a range, and may claim another. */
    private int readers;

    /** Those of them that are at it. */
    private int reading;

    private long lastRead = System.nanoTime();

    CopyScan(CopySource source) {
        this.source = source;
        this.unclaimed = new ArrayDeque<>(source.ranges());
    }

    CopySource source() {
        return source;
    }

    /** Whether one more may read, and there is something to read. The caller then is a reader. */
    synchronized boolean join() {
        if (unclaimed.isEmpty() || readers == source.readers()) {
            return false;
        }
        readers++;
        return true;
    }

    /** The next range for a reader; null if none is left. */
    synchronized @Nullable RowIdInterval claim() {
        return unclaimed.poll();
    }

    synchronized void beginReading() {
        reading++;
    }

    synchronized void endReading() {
        reading--;
        lastRead = System.nanoTime();
    }

    /** The caller is a reader no longer. */
    synchronized void leave() {
        readers--;
        notifyAll();
    }

    /**
     * Holds a thread for which nothing is left until the others have read what they claimed. Sent back to DuckDB, the
     * thread that executes the statement would ask it for work again and again, and take a processor from PostgreSQL.
     */
    synchronized void awaitOthers() {
        try {
            while (readers > 0 && !source.end().isReached() && isSomeoneAtIt()) {
                wait(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            // The watch of the statement ends the reading.
            Thread.currentThread().interrupt();
        }
    }

    private boolean isSomeoneAtIt() {
        return reading > 0 || System.nanoTime() - lastRead < PATIENCE.toNanos();
    }
}
