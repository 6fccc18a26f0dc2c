package io.formacdc.examples.quickstart;

import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.Progress;

/** Shows how far a flush, an export or a compaction of one schema is. Thread-safe. */
final class ProgressLine implements CdcListener {
    private final Screen screen;
    private long dirtyRows;
    private long flushedRows;

    ProgressLine(Screen screen) {
        this.screen = screen;
    }

    @Override
    public synchronized void schemaStarted(int schemaId, long dirtyRows) {
        this.dirtyRows = dirtyRows;
    }

    @Override
    public void progressed(Progress progress) {
        switch (progress.stage()) {
            case FETCH ->
                screen.bar(
                        "bytes fetched",
                        progress.bytes().done(),
                        progress.bytes().total());
            case EXPORT -> show("exported", progress);
            case MERGE -> show("merged", progress);
            case UPLOAD -> show("on their way to the bucket", progress);
            case PLACE -> show("in their place", progress);
        }
    }

    private void show(String what, Progress progress) {
        screen.bar("rows " + what, progress.rows().done(), progress.rows().total());
    }

    @Override
    public synchronized void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
        flushedRows += file.contents().rowCount();
        screen.reached("rows flushed", flushedRows, dirtyRows);
    }

    @Override
    public void schemaFinished(FlushReport.SchemaFlush flush) {
        screen.endBar();
    }

    @Override
    public void exportFinished(BaseExportReport export) {
        screen.endBar();
    }

    @Override
    public void compactionFinished(CompactionReport.SchemaCompaction compaction) {
        screen.endBar();
    }
}
