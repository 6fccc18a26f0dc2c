package io.formacdc.core;

/**
 * Some schemas could not be compacted; the others were. What failed is in the report. Every schema is as readable as
 * before, and the next run may try again.
 */
public final class SchemaCompactionException extends CdcException {
    private final transient CompactionReport report;

    public SchemaCompactionException(String message, CompactionReport report) {
        super(message);
        this.report = report;
    }

    /** What was done, the failed schemas included. */
    public CompactionReport report() {
        return report;
    }
}
