package io.formacdc.examples.quickstart;

import io.formacdc.core.CdcListener;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushedFile;

/** Shows how far a flush of one schema is. Thread-safe. */
final class FlushProgress implements CdcListener {
    private final Screen screen;
    private long dirtyRows;
    private long flushedRows;

    FlushProgress(Screen screen) {
        this.screen = screen;
    }

    @Override
    public synchronized void schemaStarted(int schemaId, long dirtyRows) {
        this.dirtyRows = dirtyRows;
        screen.bar(0, dirtyRows);
    }

    @Override
    public synchronized void rowsExported(int schemaId, long rows, long rowsOfChunk) {
        screen.bar(Math.min(dirtyRows, flushedRows + Math.min(rows, rowsOfChunk)), dirtyRows);
    }

    @Override
    public synchronized void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
        flushedRows += file.contents().rowCount();
        screen.reached(flushedRows, dirtyRows);
    }

    @Override
    public synchronized void schemaFinished(FlushReport.SchemaFlush flush) {
        screen.endBar();
    }
}
