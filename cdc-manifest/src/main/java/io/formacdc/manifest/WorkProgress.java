package io.formacdc.manifest;

import io.formacdc.core.CdcListener;
import io.formacdc.core.Progress;
import io.formacdc.core.Progress.Amount;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.Progress.Task;
import java.util.function.LongConsumer;

/** Sums up what the threads of an export or a compaction have done, and tells it. Thread-safe. */
final class WorkProgress {
    private final int schemaId;
    private final Task task;
    private final long totalRows;
    private final long totalBytes;
    private final CdcListener listener;
    private long rows;
    private long bytes;

    /**
     * @param totalRows of all the work; 0 when not known
     * @param totalBytes the same
     */
    WorkProgress(int schemaId, Task task, long totalRows, long totalBytes, CdcListener listener) {
        this.schemaId = schemaId;
        this.task = task;
        this.totalRows = totalRows;
        this.totalBytes = totalBytes;
        this.listener = listener;
    }

    /** So much more is done. */
    synchronized void add(Stage stage, long moreRows, long moreBytes) {
        rows += moreRows;
        bytes += moreBytes;
        listener.progressed(
                new Progress(schemaId, task, stage, new Amount(rows, totalRows), new Amount(bytes, totalBytes)));
    }

    /** Takes, again and again, how many rows of one piece of the work are done. */
    LongConsumer ofPiece(Stage stage) {
        return new LongConsumer() {
            private long told;

            @Override
            public synchronized void accept(long rowsOfPiece) {
                add(stage, rowsOfPiece - told, 0);
                told = rowsOfPiece;
            }
        };
    }
}
