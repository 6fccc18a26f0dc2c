package io.formacdc.duckdb;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes native code and sockets, which ignore interrupts, end when the thread that waits for them is interrupted or
 * when a time limit passes. While open, one thread watches the one that opened this, and is joined by {@link #close()}.
 */
final class InterruptWatch implements AutoCloseable {
    private static final long POLL_NANOS = Duration.ofMillis(20).toNanos();
    private static final long REPEAT_NANOS = Duration.ofMillis(250).toNanos();

    private final Thread watched = Thread.currentThread();
    private final Set<Guard> guards = ConcurrentHashMap.newKeySet();
    private final Thread watcher = new Thread(this::watch, "forma-cdc-interrupt-watch");
    private volatile boolean closed;

    private InterruptWatch() {
        watcher.setDaemon(true);
    }

    /** Watches the calling thread. */
    static InterruptWatch open() {
        InterruptWatch watch = new InterruptWatch();
        watch.watcher.start();
        return watch;
    }

    boolean watchesThisThread() {
        return watched == Thread.currentThread();
    }

    /** Ends what runs; called again, with a higher count, for as long as the guard is not closed. */
    @FunctionalInterface
    interface Cancellation {
        void cancel(int attempt);
    }

    /** Calls the cancellation on interrupt, or after the limit (null for none), until the guard is closed. */
    Guard guard(@Nullable Duration limit, Cancellation cancellation) {
        Guard guard = new Guard(cancellation, limit == null ? null : System.nanoTime() + limit.toNanos());
        guards.add(guard);
        return guard;
    }

    /** Something that can be cancelled. */
    final class Guard implements AutoCloseable {
        private final Cancellation cancellation;
        private final @Nullable Long deadlineNanos;
        private int attempts;
        private long nextAttemptNanos;
        private volatile boolean timedOut;

        private Guard(Cancellation cancellation, @Nullable Long deadlineNanos) {
            this.cancellation = cancellation;
            this.deadlineNanos = deadlineNanos;
        }

        /** Whether the limit was what ended it. */
        boolean timedOut() {
            return timedOut;
        }

        private synchronized void check(boolean interrupted) {
            long now = System.nanoTime();
            if (deadlineNanos != null && now - deadlineNanos >= 0) {
                timedOut = true;
            }
            boolean due = attempts == 0 || now - nextAttemptNanos >= 0;
            if ((interrupted || timedOut) && due && guards.contains(this)) {
                attempts++;
                nextAttemptNanos = now + REPEAT_NANOS;
                cancellation.cancel(attempts);
            }
        }

        /** Waits for a cancellation under way, so that none hits what comes next. */
        @Override
        public void close() {
            guards.remove(this);
            synchronized (this) {
                attempts = 0;
            }
        }
    }

    private void watch() {
        while (!closed) {
            boolean interrupted = watched.isInterrupted();
            guards.forEach(guard -> guard.check(interrupted));
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(watcher);
        boolean interrupted = false;
        while (watcher.isAlive()) {
            try {
                watcher.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            watched.interrupt();
        }
    }
}
