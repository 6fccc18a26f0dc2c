package io.formacdc.examples.testbed;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Threads that work against each other until a time is over or one of them finds something wrong. What the library
 * throws as its own exceptions is expected here, and counted.
 */
final class Bed {
    /** When to stop. Thread-safe. */
    static final class Clock {
        private final long endNanos;
        private volatile boolean isStopped;

        Clock(Duration duration) {
            this.endNanos = System.nanoTime() + duration.toNanos();
        }

        boolean isOver() {
            return isStopped || System.nanoTime() - endNanos >= 0;
        }

        void stop() {
            isStopped = true;
        }
    }

    /** What a thread does, again and again or in a loop of its own. */
    interface Task {
        void run() throws Exception;
    }

    private final Clock clock;
    private final List<String> secrets;
    private final List<Thread> threads = new ArrayList<>();
    private final List<Throwable> wrong = new CopyOnWriteArrayList<>();
    private final Map<String, Integer> survived = new TreeMap<>();
    private final Map<String, String> examples = new TreeMap<>();

    /** @param secrets what no failure may tell */
    Bed(Clock clock, List<String> secrets) {
        this.clock = clock;
        this.secrets = secrets;
    }

    Clock clock() {
        return clock;
    }

    /** Starts a thread that does something once; what it throws is wrong. */
    void start(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } catch (Throwable e) {
                        wrong.add(new AssertionError(name + ": " + e, e));
                        clock.stop();
                    }
                },
                name);
        threads.add(thread);
        thread.start();
    }

    /** Starts a thread that does something until the end; the library's own exceptions are counted. */
    Thread repeat(String name, Duration pause, Task task) {
        start(name, () -> {
            while (!clock.isOver()) {
                try {
                    task.run();
                } catch (io.formacdc.core.CdcException e) {
                    count(name, e);
                } catch (SQLException e) {
                    count(name, e);
                }
                // An interrupt that came too late, or that the library has handed back.
                if (Thread.interrupted()) {
                    continue;
                }
                sleep(pause);
            }
        });
        return threads.get(threads.size() - 1);
    }

    private static void sleep(Duration pause) {
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            // The next turn begins a little earlier.
            return;
        }
    }

    private synchronized void count(String name, Exception e) {
        StringWriter all = new StringWriter();
        e.printStackTrace(new PrintWriter(all));
        checkForSecrets(all.toString());
        String kind = name + " " + e.getClass().getSimpleName();
        survived.merge(kind, 1, Integer::sum);
        examples.put(kind, String.valueOf(e.getMessage()));
    }

    /** Stops the bed if a text tells a secret. */
    void checkForSecrets(String text) {
        if (secrets.stream().anyMatch(text::contains)) {
            wrong.add(new AssertionError("a secret is told: " + text));
            clock.stop();
        }
    }

    /** Waits for all threads, and throws what was wrong first. */
    void join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
        if (!wrong.isEmpty()) {
            AssertionError first = new AssertionError(wrong.size() + " threads found something wrong");
            wrong.forEach(first::addSuppressed);
            throw first;
        }
    }

    /** Failures that the library reported, by who got them, and the last one of each kind. */
    synchronized String survived() {
        StringBuilder lines = new StringBuilder(survived.toString());
        examples.forEach((kind, message) -> lines.append(System.lineSeparator())
                .append("    ")
                .append(kind)
                .append(": ")
                .append(message));
        return lines.toString();
    }
}
