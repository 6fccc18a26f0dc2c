package io.formacdc.core;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The calling thread was interrupted; its interrupt flag is set again. Chunks already marked stay flushed, the others stay dirty. */
public final class CdcInterruptedException extends CdcException {
    private final transient @Nullable FlushReport report;

    public CdcInterruptedException(String message) {
        super(message);
        this.report = null;
    }

    public CdcInterruptedException(String message, Throwable cause) {
        super(message, cause);
        this.report = null;
    }

    CdcInterruptedException(String message, @Nullable CdcException cause, FlushReport report) {
        super(message);
        if (cause != null) {
            initCause(cause);
        }
        this.report = report;
    }

    /**
     * Says so plainly where a thread comes interrupted, instead of whatever that would break first.
     *
     * @param work what it came for, as in {@code the compaction}
     * @throws CdcInterruptedException if the calling thread is interrupted; its flag stays set
     */
    public static void requireNotInterrupted(String work) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CdcInterruptedException(beforeIt(work));
        }
    }

    static String beforeIt(String work) {
        return "the calling thread was interrupted before " + work + " began; nothing was read or written";
    }

    /**
     * What the pass had done, up to the schema at which it was interrupted; schemas that were not begun are not in it.
     * Always there when a pass threw this, empty when a single step did.
     */
    public Optional<FlushReport> report() {
        return Optional.ofNullable(report);
    }
}
