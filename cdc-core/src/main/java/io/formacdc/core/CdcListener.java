package io.formacdc.core;

/**
 * Told of what a pass, an export or a compaction does, on the threads that do it. Must be quick. An exception from it is logged and changes
 * nothing.
 */
public interface CdcListener {
    /** Hears nothing. */
    CdcListener NONE = new CdcListener() {};

    /** A schema is above its thresholds and locked; {@code dirtyRows} were dirty then. */
    default void schemaStarted(int schemaId, long dirtyRows) {}

    /** So many rows of the present chunk have been read from PostgreSQL; called at most a few times a second. */
    default void rowsExported(int schemaId, long rows, long rowsOfChunk) {}

    /** A file was listed, and {@code markedRows} of its rows marked flushed. */
    default void fileFlushed(int schemaId, FlushedFile file, long markedRows) {}

    /** A schema is done, one way or another. */
    default void schemaFinished(FlushReport.SchemaFlush flush) {}

    /** A schema is to be compacted; {@code predictedBytes} will be written, roughly. */
    default void compactionStarted(int schemaId, long predictedBytes) {}

    /** So many rows have been written anew since the compaction of the schema began. */
    default void rowsMerged(int schemaId, long rows) {}

    /** A compaction of a schema is done, one way or another. */
    default void compactionFinished(CompactionReport.SchemaCompaction compaction) {}

    /** The initial export of a schema has begun to read; {@code liveRows} are live. */
    default void exportStarted(int schemaId, long liveRows) {}

    /** So many of the live rows are read, or need not be read again; called a few times a second, by one thread at a time. */
    default void liveRowsExported(int schemaId, long rows, long liveRows) {}

    /** An initial export is done, one way or another. */
    default void exportFinished(BaseExportReport export) {}

    /** A listener that passes everything on to another, and logs what that one throws. */
    static CdcListener quiet(CdcListener listener) {
        return listener == NONE || listener instanceof QuietListener ? listener : new QuietListener(listener);
    }
}
