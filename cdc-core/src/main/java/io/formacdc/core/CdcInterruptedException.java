package io.formacdc.core;

/** The calling thread was interrupted; its interrupt flag is set again. Chunks already marked stay flushed, the others stay dirty. */
public final class CdcInterruptedException extends CdcException {
    public CdcInterruptedException(String message) {
        super(message);
    }

    public CdcInterruptedException(String message, Throwable cause) {
        super(message, cause);
    }
}
