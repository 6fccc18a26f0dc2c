package io.formacdc.core;

import io.formacdc.core.ChangeLogStore.DirtySchema;
import java.util.List;

/**
 * Told of what passes, exports and compactions find and do, on the threads that do it, several at once. Must be
 * thread-safe, and quick: the work waits for it. An exception from it is logged and changes nothing.
 */
public interface CdcListener {
    /** Hears nothing. */
    CdcListener NONE = new CdcListener() {};

    /**
     * A pass begins, and these are all schemas with dirty rows; any other has none. Told by every pass, whether a schema
     * is due or not.
     */
    default void backlogRead(List<DirtySchema> backlog) {}

    /** A schema is above its thresholds and locked; {@code dirtyRows} were dirty then. */
    default void schemaStarted(int schemaId, long dirtyRows) {}

    /** A file was listed, and {@code markedRows} of its rows marked flushed. */
    default void fileFlushed(int schemaId, FlushedFile file, long markedRows) {}

    /** A schema is done, one way or another. */
    default void schemaFinished(FlushReport.SchemaFlush flush) {}

    /**
     * What a compaction, or its plan, has found to be due: so many files would be taken up, of so many bytes. Told again,
     * with zeros, when that is done.
     */
    default void compactionDue(int schemaId, int files, long bytes) {}

    /** A schema is to be compacted; {@code predictedBytes} will be written, roughly. */
    default void compactionStarted(int schemaId, long predictedBytes) {}

    /** A compaction of a schema is done, one way or another. */
    default void compactionFinished(CompactionReport.SchemaCompaction compaction) {}

    /** The initial export of a schema has begun to read; {@code liveRows} are live. */
    default void exportStarted(int schemaId, long liveRows) {}

    /** An initial export is done, one way or another. */
    default void exportFinished(BaseExportReport export) {}

    /**
     * How far a flush, an export or a compaction of a schema is: told of each file, and of a long one a few times a second
     * on the way.
     */
    default void progressed(Progress progress) {}

    /** What a schema's manifest lists, whenever it was read or saved. */
    default void manifestSeen(ManifestSize size) {}

    /**
     * A save of a schema's manifest was refused, because another writer came first; it is tried again on what that one
     * saved. (Or an earlier sending of the same save was, whose answer was lost.)
     */
    default void manifestConflict(int schemaId) {}

    /** A snapshot of PostgreSQL is open from now on, and keeps VACUUM from what has changed since. */
    default void snapshotOpened(OpenSnapshot snapshot) {}

    /** That snapshot is closed. */
    default void snapshotClosed(OpenSnapshot snapshot) {}

    /**
     * A DuckDB at work holds so much; told a few times a second, by a thread beside those that work.
     *
     * @param bytes in memory
     * @param spilledBytes on disk beside it
     */
    default void duckDbMemory(long bytes, long spilledBytes) {}

    /** A listener that passes everything on to another, and logs what that one throws. */
    static CdcListener quiet(CdcListener listener) {
        return listener == NONE || listener instanceof QuietListener ? listener : new QuietListener(listener);
    }
}
