package io.formacdc.core;

/** An initial export would take files off the list that the caller has not given up. Nothing was written. */
public final class ExportRefusedException extends CdcException {
    public ExportRefusedException(String message) {
        super(message);
    }

    public ExportRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
