package io.formacdc.examples.quickstart;

import io.formacdc.core.CdcListener;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.Progress;

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
    public synchronized void progressed(Progress progress) {
        screen.bar(progress.rows().done(), progress.rows().total());
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
