package io.formacdc.core;

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
    public void schemaStarted(int schemaId, long dirtyRows) {
        quietly(() -> listener.schemaStarted(schemaId, dirtyRows));
    }

    @Override
    public void rowsExported(int schemaId, long rows, long rowsOfChunk) {
        quietly(() -> listener.rowsExported(schemaId, rows, rowsOfChunk));
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
    public void compactionStarted(int schemaId, long predictedBytes) {
        quietly(() -> listener.compactionStarted(schemaId, predictedBytes));
    }

    @Override
    public void rowsMerged(int schemaId, long rows) {
        quietly(() -> listener.rowsMerged(schemaId, rows));
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
    public void liveRowsExported(int schemaId, long rows, long liveRows) {
        quietly(() -> listener.liveRowsExported(schemaId, rows, liveRows));
    }

    @Override
    public void exportFinished(BaseExportReport export) {
        quietly(() -> listener.exportFinished(export));
    }

    private static void quietly(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.warn("the listener failed; the work goes on", e);
        }
    }
}
