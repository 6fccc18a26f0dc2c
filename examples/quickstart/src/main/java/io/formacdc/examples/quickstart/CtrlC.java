package io.formacdc.examples.quickstart;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Lets Ctrl-C end the work instead of cutting it off: the thread is interrupted, the library puts its temporary files
 * away, and only then the JVM ends.
 */
final class CtrlC implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean pressed;

    private CtrlC() {}

    /** Until closed, Ctrl-C interrupts the calling thread, and the JVM waits for {@link #close()}. */
    static CtrlC interruptsThisThread() {
        CtrlC ctrlC = new CtrlC();
        Thread worker = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ctrlC.end(worker), "ctrl-c"));
        return ctrlC;
    }

    /** Whether the JVM is about to end. */
    boolean isPressed() {
        return pressed;
    }

    /** Does what must not be cut short: an interrupt waits for its end. */
    synchronized <T> T undisturbed(Supplier<T> start) {
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
