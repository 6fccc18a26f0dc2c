package io.formacdc.manifest;

import io.formacdc.core.CdcInterruptedException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the threads of one work call its ports one at a time, in an order that is the same in every run. A turn is given
 * only when every thread of the work waits for one or can do nothing before another thread does something; so how fast a
 * thread comes to its next call does not matter. Thread-safe.
 */
final class Turns {
    /** Who has the next turn of those that wait for one. */
    enum Order {
        /** Whoever was started last: what is done ahead is done before all else. */
        LAST_STARTED,
        /** Whoever was started first: what is done ahead is done when it is waited for. */
        FIRST_STARTED,
        /** Not who had the last turn, if there is another. */
        ALTERNATING
    }

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** How long a parked thread may take to run again once another has woken it. */
    private static final Duration WAKING = Duration.ofMillis(5);

    private final Order order;
    private final Worker worker;

    /** Ids grow with each thread that is made. */
    private final NavigableSet<Thread> waiting = new TreeSet<>(Comparator.comparing(Thread::getId));

    private @Nullable Thread calling;
    private @Nullable Thread lastCaller;
    private boolean hasFailed;
    private long lastMoveNanos;

    private Turns(Order order, Worker worker) {
        this.order = order;
        this.worker = worker;
    }

    /**
     * Does a work on a thread of its own, so that every thread that it starts is known.
     *
     * @throws AssertionError if one of its threads is alive at the end, or does not come to its end; what the work throws
     *     is thrown as it is
     */
    static void run(Order order, Consumer<Turns> work) {
        Worker worker = Worker.take();
        Turns turns = new Turns(order, worker);
        try {
            worker.run(() -> work.accept(turns));
        } catch (RuntimeException e) {
            worker.release();
            throw e;
        } catch (Error e) {
            worker.discard();
            throw e;
        }
        worker.release();
    }

    /**
     * Makes a call when it is this thread's turn.
     *
     * @throws CdcInterruptedException if the thread was interrupted before: nothing has happened then
     */
    <T> T take(Supplier<T> call) {
        await(Thread.currentThread());
        boolean failed = true;
        try {
            T result = call.get();
            failed = false;
            return result;
        } finally {
            end(failed);
        }
    }

    private synchronized void end(boolean failed) {
        calling = null;
        hasFailed = failed;
        lastMoveNanos = System.nanoTime();
        wakeNext();
    }

    private synchronized void begin(Thread caller) {
        waiting.add(caller);
        wakeNext();
    }

    private void wakeNext() {
        if (!waiting.isEmpty()) {
            LockSupport.unpark(next());
        }
    }

    private void await(Thread caller) {
        begin(caller);
        long begin = System.nanoTime();
        while (!isTurnOf(caller)) {
            if (System.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new AssertionError("no turn for " + caller + " of " + states());
            }
            // What the others are about is a matter of microseconds, mostly.
            LockSupport.parkNanos(isNext(caller) ? 10_000 : 2_000_000);
        }
    }

    private synchronized boolean isNext(Thread caller) {
        return calling == null && caller.equals(next());
    }

    private synchronized boolean isTurnOf(Thread caller) {
        if (caller.isInterrupted()) {
            waiting.remove(caller);
            wakeNext();
            throw new CdcInterruptedException("injected: interrupted before its turn");
        }
        if (!isNext(caller) || !isQuiet()) {
            return false;
        }
        waiting.remove(caller);
        calling = caller;
        lastCaller = caller;
        return true;
    }

    private boolean isQuiet() {
        List<Thread> all = worker.alive();
        if (!all.stream().allMatch(thread -> isHeldUp(thread, all))
                || !worker.alive().equals(all)) { // one that is held up now has started another before
            lastMoveNanos = System.nanoTime();
            return false;
        }
        return !isSomeoneWaking(all);
    }

    /**
     * After a failure, whoever waits for it may be about to interrupt the others, and must come first. A thread that waits
     * for a monitor or for another's end is seen to wait no more as soon as it is woken; one that is parked, when it runs.
     */
    private boolean isSomeoneWaking(List<Thread> all) {
        return hasFailed
                && all.stream().anyMatch(thread -> LockSupport.getBlocker(thread) != null)
                && System.nanoTime() - lastMoveNanos < WAKING.toNanos();
    }

    private Thread next() {
        return switch (order) {
            case LAST_STARTED -> waiting.last();
            case FIRST_STARTED -> waiting.first();
            case ALTERNATING ->
                waiting.stream()
                        .filter(thread -> !thread.equals(lastCaller))
                        .findFirst()
                        .orElseGet(waiting::first);
        };
    }

    /** Waits for a turn, for an event, or for a lock that a thread of this work has. Other locks are free in a moment. */
    private boolean isHeldUp(Thread thread, List<Thread> all) {
        if (waiting.contains(thread)) {
            return true;
        }
        @Nullable ThreadInfo info = THREADS.getThreadInfo(thread.getId());
        if (info == null) {
            return true; // it has ended
        }
        if (info.getLockInfo() != null && info.getLockInfo().getClassName().equals(Turns.class.getName())) {
            return false; // on its way in or out here
        }
        boolean isOurs = all.stream().anyMatch(owner -> owner.getId() == info.getLockOwnerId());
        return switch (info.getThreadState()) {
            case WAITING, TIMED_WAITING -> info.getLockOwnerId() < 0 || isOurs;
            case BLOCKED -> isOurs;
            case TERMINATED -> true;
            case NEW, RUNNABLE -> false;
        };
    }

    private synchronized String states() {
        return worker.alive().stream()
                        .map(thread -> thread + " " + thread.getState())
                        .toList() + ", waiting " + waiting;
    }
}
