package io.formacdc.manifest;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.CdcInterruptedException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts again and again, on one thread of its own, until it is closed. For hosts without a scheduler; one that has one
 * calls {@link Compactor#runOnce()} from it.
 */
public final class CompactionLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CompactionLoop.class);

    private static final Duration MAX_INTERVAL = Duration.ofDays(365);

    private final Compactor compactor;
    private final Duration interval;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "forma-cdc-compaction-loop");

    private CompactionLoop(Compactor compactor, Duration interval) {
        this.compactor = compactor;
        this.interval = interval;
    }

    /**
     * The same with the {@code runInterval} of the compactor's own configuration.
     *
     * @throws IllegalArgumentException if that is not set, or above a year
     */
    public static CompactionLoop start(Compactor compactor) {
        return start(compactor, compactor.runInterval());
    }

    /**
     * Starts the first run at once, and each further one so long after the end of the one before. A run that fails is
     * logged, and the loop goes on.
     *
     * @param interval positive, at most a year
     * @throws IllegalArgumentException if it is not
     */
    public static CompactionLoop start(Compactor compactor, Duration interval) {
        requireNonNull(compactor, "compactor");
        requireNonNull(interval, "interval");
        if (interval.isZero() || interval.isNegative() || interval.compareTo(MAX_INTERVAL) > 0) {
            throw new IllegalArgumentException(
                    "runInterval " + interval + " must be positive for a loop, and at most " + MAX_INTERVAL);
        }
        CompactionLoop loop = new CompactionLoop(compactor, interval);
        loop.thread.start();
        return loop;
    }

    private void run() {
        try {
            do {
                runOnce();
            } while (!closed.await(interval.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException | CdcInterruptedException e) {
            LOG.debug("the compaction loop has ended", e);
        }
    }

    private void runOnce() {
        try {
            compactor.runOnce();
        } catch (CdcInterruptedException e) {
            throw e;
        } catch (RuntimeException e) {
            LOG.warn("a compaction failed; the next one is in {}", interval, e);
        }
    }

    /** Interrupts a run under way, which then lists nothing, and waits for its end. May be called twice. */
    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
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
