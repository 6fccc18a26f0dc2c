package io.formacdc.manifest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A thread that does one work after the other, and the group of all that it starts. Thread-safe, but for one work at a
 * time.
 */
final class Worker {
    /**
     * Kept for later works: to start a thread takes as long as many a work, and up to JDK 18 nothing frees a group but a
     * method that is going to be removed.
     */
    private static final Queue<Worker> FREE = new ConcurrentLinkedQueue<>();

    private final ThreadGroup group = new ThreadGroup("work");
    private final ExecutorService executor = Executors.newSingleThreadExecutor(this::newThread);
    private @Nullable Thread thread;

    private Worker() {}

    /** One that does nothing else, until it is released. */
    static Worker take() {
        @Nullable Worker free = FREE.poll();
        return free == null ? new Worker() : free;
    }

    private Thread newThread(Runnable task) {
        Thread made = new Thread(group, task, "work");
        made.setDaemon(true);
        thread = made;
        return made;
    }

    /** Does a work, and waits for its end. What the work throws is thrown as it is. */
    void run(Runnable work) {
        try {
            executor.submit(work).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Threads of the work that have not ended, its own included. */
    List<Thread> alive() {
        Thread[] found = new Thread[group.activeCount() + 8];
        int count = group.enumerate(found, false);
        return new ArrayList<>(Arrays.asList(found).subList(0, count));
    }

    /**
     * Makes it free for another work.
     *
     * @throws AssertionError if a thread is left of this one
     */
    void release() {
        // A pool says that it has ended a moment before its last thread has.
        started().forEach(Worker::join);
        List<Thread> left = started();
        if (!left.isEmpty()) {
            discard();
            throw new AssertionError("threads that outlive the call: " + left);
        }
        FREE.add(this);
    }

    /** Takes no other work: what this one has started may be about something still. */
    void discard() {
        executor.shutdown();
    }

    private List<Thread> started() {
        List<Thread> started = alive();
        started.remove(thread);
        return started;
    }

    private static void join(Thread ending) {
        try {
            ending.join(1_000);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
