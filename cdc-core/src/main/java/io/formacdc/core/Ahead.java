package io.formacdc.core;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * Something made on a thread of its own while the caller does something else. The thread has ended when {@link #close()}
 * returns; what was made and not taken is closed by then. Confined to the calling thread.
 */
final class Ahead<T extends AutoCloseable> implements AutoCloseable {
    private final FutureTask<@Nullable T> task;
    private final Thread thread;
    private boolean taken;

    private Ahead(FutureTask<@Nullable T> task, String threadName) {
        this.task = task;
        this.thread = new Thread(task, threadName);
        thread.setDaemon(true);
    }

    /**
     * Begins the work.
     *
     * @param work is interrupted when the caller is while it waits, or gives up; may yield null
     */
    static <T extends AutoCloseable> Ahead<T> start(String threadName, Callable<@Nullable T> work) {
        Ahead<T> ahead = new Ahead<>(new FutureTask<>(work), threadName);
        ahead.thread.start();
        return ahead;
    }

    /**
     * Waits for what was made; from then on it is the caller's to close. What the work threw is thrown as it is.
     *
     * @throws CdcInterruptedException if the calling thread was interrupted, and the work came to its end all the same
     */
    @Nullable
    T take() {
        boolean interrupted = awaitEnd(false);
        try {
            @Nullable T made = result();
            if (interrupted) {
                throw new CdcInterruptedException("interrupted");
            }
            taken = true;
            return made;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private @Nullable T result() {
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted", e);
        }
    }

    /** Returns whether the calling thread was interrupted meanwhile; its flag is clear then. */
    private boolean awaitEnd(boolean giveUp) {
        boolean interrupted = false;
        if (giveUp) {
            thread.interrupt();
        }
        while (true) {
            try {
                thread.join();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
                thread.interrupt();
            }
        }
    }

    /** Has the work end, waits until it has, and closes what was not taken. Does not throw. */
    @Override
    public void close() {
        if (taken) {
            return;
        }
        taken = true;
        boolean interrupted = awaitEnd(true);
        try {
            @Nullable T made = task.get();
            if (made != null) {
                made.close();
            }
        } catch (Exception e) {
            // Nobody wants it any more, so nobody asks why it failed.
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
