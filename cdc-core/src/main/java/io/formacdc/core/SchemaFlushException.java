package io.formacdc.core;

/**
 * At least one schema of a pass failed; the message names each, and each one's own error is suppressed in this. The
 * other schemas were flushed all the same, as {@link #report()} shows.
 */
public final class SchemaFlushException extends CdcException {
    private final transient FlushReport report;

    public SchemaFlushException(String message, FlushReport report) {
        super(message);
        this.report = report;
    }

    /** The whole pass, failed schemas included. */
    public FlushReport report() {
        return report;
    }
}
