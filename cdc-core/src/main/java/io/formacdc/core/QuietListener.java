package io.formacdc.core;

import io.formacdc.core.ChangeLogStore.DirtySchema;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a listener's exceptions from changing what a pass does. */
final class QuietListener implements CdcListener {
    private static final Logger LOG = LoggerFactory.getLogger(QuietListener.class);

    private final CdcListener listener;

    QuietListener(CdcListener listener) {
        this.listener = listener;
    }

    @Override
    public void backlogRead(List<DirtySchema> backlog) {
        quietly(() -> listener.backlogRead(backlog));
    }

    @Override
    public void schemaStarted(int schemaId, long dirtyRows) {
        quietly(() -> listener.schemaStarted(schemaId, dirtyRows));
    }

    @Override
    public void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
        quietly(() -> listener.fileFlushed(schemaId, file, markedRows));
    }

    @Override
    public void schemaFinished(FlushReport.SchemaFlush flush) {
        quietly(() -> listener.schemaFinished(flush));
    }

    @Override
    public void compactionDue(int schemaId, int files, long bytes) {
        quietly(() -> listener.compactionDue(schemaId, files, bytes));
    }

    @Override
    public void compactionStarted(int schemaId, long predictedBytes) {
        quietly(() -> listener.compactionStarted(schemaId, predictedBytes));
    }

    @Override
    public void compactionFinished(CompactionReport.SchemaCompaction compaction) {
        quietly(() -> listener.compactionFinished(compaction));
    }

    @Override
    public void exportStarted(int schemaId, long liveRows) {
        quietly(() -> listener.exportStarted(schemaId, liveRows));
    }

    @Override
    public void exportFinished(BaseExportReport export) {
        quietly(() -> listener.exportFinished(export));
    }

    @Override
    public void progressed(Progress progress) {
        quietly(() -> listener.progressed(progress));
    }

    @Override
    public void manifestSeen(ManifestSize size) {
        quietly(() -> listener.manifestSeen(size));
    }

    @Override
    public void manifestConflict(int schemaId) {
        quietly(() -> listener.manifestConflict(schemaId));
    }

    @Override
    public void snapshotOpened(OpenSnapshot snapshot) {
        quietly(() -> listener.snapshotOpened(snapshot));
    }

    @Override
    public void snapshotClosed(OpenSnapshot snapshot) {
        quietly(() -> listener.snapshotClosed(snapshot));
    }

    @Override
    public void duckDbMemory(long bytes, long spilledBytes) {
        quietly(() -> listener.duckDbMemory(bytes, spilledBytes));
    }

    private static void quietly(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.warn("the listener failed; the work goes on", e);
        }
    }
}
