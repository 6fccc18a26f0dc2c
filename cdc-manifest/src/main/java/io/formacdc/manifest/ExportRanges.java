package io.formacdc.manifest;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SnapshotExporter.Chunk;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Deals out the live rows of a snapshot in row-id order, in chunks that make files of about the target size. What an
 * earlier export has finished is passed over where it is still what this one would write. Thread-safe.
 */
final class ExportRanges {
    private static final int MIN_ROWS_OF_A_FILE = 1_000;

    private final LiveSnapshot snapshot;
    private final UUID lastRowId;
    private final Deque<ExportedRange> earlier;
    private final Predicate<ExportedRange> isStaged;
    private final Consumer<ExportedRange> reuse;
    private final Sizes sizes;
    private @Nullable UUID after;

    /**
     * @param lastRowId the greatest id of the snapshot
     * @param earlier what an earlier export has finished
     * @param isStaged whether the file of such a one is still in its place
     * @param reuse told of each one that need not be exported again
     */
    ExportRanges(
            LiveSnapshot snapshot,
            UUID lastRowId,
            List<ExportedRange> earlier,
            Predicate<ExportedRange> isStaged,
            Consumer<ExportedRange> reuse,
            Sizes sizes) {
        this.snapshot = snapshot;
        this.lastRowId = lastRowId;
        this.earlier = new ArrayDeque<>(earlier.stream()
                .sorted(Comparator.comparing(ExportRanges::upTo, RowIdInterval.BYTE_ORDER))
                .toList());
        this.isStaged = isStaged;
        this.reuse = reuse;
        this.sizes = sizes;
    }

    /** The next rows to export; null when all are dealt out. */
    synchronized @Nullable Chunk next() {
        while (!lastRowId.equals(after)) {
            ExportedRange ahead = nextEarlier();
            if (ahead != null && Objects.equals(ahead.interval().after(), after)) {
                earlier.removeFirst();
                if (isStillTrue(ahead)) {
                    after = upTo(ahead);
                    reuse.accept(ahead);
                }
                continue;
            }
            UUID bound = ahead == null
                    ? lastRowId
                    : Objects.requireNonNull(ahead.interval().after());
            Chunk chunk = snapshot.selectChunk(after, bound, sizes.rowsPerFile());
            after = chunk == null ? bound : chunk.lastRowId();
            if (chunk != null) {
                return chunk;
            }
        }
        return null;
    }

    /** The first one that does not begin before what was dealt out already, nor where nothing is left. */
    private @Nullable ExportedRange nextEarlier() {
        while (!earlier.isEmpty()) {
            UUID begin = earlier.getFirst().interval().after();
            boolean isBehind = after != null && (begin == null || RowIdInterval.BYTE_ORDER.compare(begin, after) < 0);
            boolean isBeyond = RowIdInterval.BYTE_ORDER.compare(upTo(earlier.getFirst()), lastRowId) > 0;
            if (!isBehind && !isBeyond) {
                return earlier.getFirst();
            }
            earlier.removeFirst();
        }
        return null;
    }

    /**
     * A base must be of one instant. A file of an earlier snapshot is of this one too if it holds the very versions that
     * this one has in its interval, because writers never give two contents one version.
     */
    private boolean isStillTrue(ExportedRange range) {
        return snapshot.digest(range.interval()).equals(range.digest()) && isStaged.test(range);
    }

    private static UUID upTo(ExportedRange range) {
        return Objects.requireNonNull(range.interval().upTo());
    }

    /**
     * How many rows make a file. Sizes drift along the row ids, which are often in order of time: the file finished last
     * says most of the next one. Thread-safe.
     */
    static final class Sizes {
        private final long targetBytes;
        private final int maxRows;
        private double bytesPerRow;

        Sizes(CdcConfig config) {
            this.targetBytes = config.targetFileSizeMb() * 1_000_000L;
            this.maxRows = config.maxBatchSize();
        }

        synchronized void measured(FileContents contents) {
            // A few rows are mostly footer.
            if (bytesPerRow == 0 || contents.rowCount() >= MIN_ROWS_OF_A_FILE) {
                bytesPerRow = (double) contents.sizeBytes() / Math.max(1, contents.rowCount());
            }
        }

        synchronized int rowsPerFile() {
            long rows = Math.max(MIN_ROWS_OF_A_FILE, Math.round(targetBytes / bytesPerRow));
            return (int) Math.min(maxRows, rows);
        }

        /** Roughly how large so many rows will be. */
        synchronized long bytesOf(long rows) {
            return Math.round(rows * bytesPerRow);
        }
    }
}
