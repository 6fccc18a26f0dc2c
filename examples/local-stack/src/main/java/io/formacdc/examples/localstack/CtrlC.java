package io.formacdc.examples.localstack;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Lets Ctrl-C (SIGINT, SIGTERM) end an example instead of cutting it off: the thread is interrupted, the library puts its
 * temporary files away, the servers are stopped, and only then the JVM ends.
 */
public final class CtrlC implements AutoCloseable {
    /** What to say at the end of work that was interrupted. */
    public static final String INTERRUPTED = "interrupted; the servers are stopped, their files deleted";

    private static final long PATIENCE_SECONDS = 60;

    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean pressed;

    private CtrlC() {}

    /** Until closed, Ctrl-C interrupts the calling thread, and the JVM waits for {@link #close()}. */
    public static CtrlC interruptsThisThread() {
        CtrlC ctrlC = new CtrlC();
        Thread worker = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ctrlC.end(worker), "ctrl-c"));
        return ctrlC;
    }

    /** Whether the JVM is about to end. */
    public boolean isPressed() {
        return pressed;
    }

    /**
     * Starts what must not be cut short: an interrupt waits for its end.
     *
     * @throws IllegalStateException without having started it, if the JVM is about to end
     */
    public synchronized <T> T undisturbed(Supplier<T> start) {
        if (pressed) {
            throw new IllegalStateException(INTERRUPTED);
        }
        return start.get();
    }

    private void end(Thread worker) {
        if (ended.getCount() == 0) {
            return;
        }
        pressed = true;
        synchronized (this) {
            worker.interrupt();
        }
        try {
            ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ended.countDown();
    }
}
