package io.formacdc.manifest;

import io.formacdc.core.CdcListener;
import java.util.function.LongConsumer;

/** Sums up what the files of an export that are under way have read, and tells it. Thread-safe. */
final class ExportProgress {
    private final int schemaId;
    private final long liveRows;
    private final CdcListener listener;
    private long done;
    private long underWay;

    ExportProgress(int schemaId, long liveRows, CdcListener listener) {
        this.schemaId = schemaId;
        this.liveRows = liveRows;
        this.listener = listener;
    }

    /** Told of the rows of one file, from its first to its last. */
    OneFile ofOneFile() {
        return new OneFile();
    }

    /** Rows of which nothing was told before, and nothing will be. */
    void skipped(long rows) {
        ofOneFile().finish(rows);
    }

    final class OneFile implements LongConsumer {
        private long told;

        @Override
        public void accept(long rows) {
            synchronized (ExportProgress.this) {
                underWay += rows - told;
                told = rows;
                tell();
            }
        }

        /** All of them are read. */
        void finish(long rows) {
            synchronized (ExportProgress.this) {
                underWay -= told;
                done += rows;
                told = 0;
                tell();
            }
        }
    }

    private void tell() {
        listener.liveRowsExported(schemaId, done + underWay, liveRows);
    }
}
