package io.formacdc.core;

import java.util.List;
import java.util.UUID;

/**
 * Go's change-log helpers, one statement each, on a connection whose transaction is the caller's business.
 */
public final class ChangeLog {
    private ChangeLog() {}

    /**
     * What is dirty in a schema.
     *
     * @param count dirty rows
     * @param oldestChangedAtMillis least version among them, epoch milliseconds; 0 if there is none
     */
    public record Stats(long count, long oldestChangedAtMillis) {}

    /**
     * Dirty rows to export.
     *
     * @param rowIds oldest version first
     * @param snapshotMillis greatest version that belongs to the batch: the clock read before the selection, or a
     *     selected version that is ahead of it
     */
    public record Batch(List<UUID> rowIds, long snapshotMillis) {}
}
