package io.formacdc.core;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an initial export did.
 *
 * @param outcome how it came out
 * @param rows live rows at the instant of the export
 * @param keys keys of the files listed, in row-id order; empty unless exported
 * @param files files listed; of a plan, how many there will be, roughly
 * @param bytes size of the files listed; of a plan, roughly what it will be
 * @param filesReused those of the files that an earlier export, which did not come to its end, had finished
 * @param filesRetired files taken off the list, or that a plan would take off it; their objects stay for the grace
 * @param lossyCasts by attribute name, values that did not fit the declared type and became NULL
 * @param duration from lock to release
 * @param error why it failed; null unless it did
 */
public record BaseExportReport(
        int schemaId,
        Outcome outcome,
        long rows,
        List<String> keys,
        int files,
        long bytes,
        int filesReused,
        int filesRetired,
        Map<String, Long> lossyCasts,
        Duration duration,
        @Nullable CdcException error) {
    public BaseExportReport {
        keys = List.copyOf(keys);
        lossyCasts = Map.copyOf(lossyCasts);
    }

    /** How an export came out. */
    public enum Outcome {
        /** The new base is listed. */
        EXPORTED,
        /** No row is live and no file listed: there is nothing to export, and nothing was written. */
        NOTHING_TO_EXPORT,
        /** Nothing was written; the figures say what would be. */
        PLANNED,
        /** An error; the manifest is as it was. */
        FAILED,
        /** An error that leaves open whether the new base is listed. */
        UNKNOWN
    }
}
