package io.formacdc.manifest;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of an initial export that reads: from a snapshot to staged files that hold each of its rows once. Confined to
 * a thread; several others work for it while it runs.
 */
final class StagedExport {
    private static final Logger LOG = LoggerFactory.getLogger(StagedExport.class);

    private static final int PILOT_ROWS = 10_000;

    private final int schemaId;
    private final CdcConfig config;
    private final LiveSnapshot snapshot;
    private final RowsDigest live;
    private final BaseFiles files;
    private final WorkProgress progress;
    private final ExportRanges.Sizes sizes;
    private final List<ExportedRange> staged = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger reused = new AtomicInteger();
    private @Nullable String failedStep;

    /** @param live all rows of the snapshot */
    StagedExport(
            int schemaId,
            CdcConfig config,
            LiveSnapshot snapshot,
            RowsDigest live,
            BaseFiles files,
            WorkProgress progress) {
        this.schemaId = schemaId;
        this.config = config;
        this.snapshot = snapshot;
        this.live = live;
        this.files = files;
        this.progress = progress;
        this.sizes = new ExportRanges.Sizes(config);
    }

    /** What the first worker that failed was at; null if none has. */
    synchronized @Nullable String failedStep() {
        return failedStep;
    }

    /** How many of the staged files an earlier export has left. */
    int reused() {
        return reused.get();
    }

    /** Stages a file without rows. */
    List<ExportedRange> stageNoRows() {
        return stageOnly(LiveSnapshot.NO_ROWS);
    }

    /**
     * Stages all rows.
     *
     * @param last the greatest row id of the snapshot
     * @return the files, in row-id order
     */
    List<ExportedRange> stageAll(UUID last, @Nullable SchemaAttributes attributes, int filesAtOnce) {
        Chunk pilot = selectPilot(last);
        if (pilot.lastRowId().equals(last)) {
            return stageOnly(pilot);
        }
        ExportJournal journal =
                files.newJournal(settings(attributes), measure(pilot).columns());
        ExportRanges ranges = new ExportRanges(
                snapshot, last, journal.load(), files::isStaged, range -> reuse(range, journal), sizes);
        Semaphore exporting = new Semaphore(filesAtOnce);
        try {
            // One more than export at once: its file is on its way to the bucket meanwhile.
            List<Integer> workers =
                    IntStream.rangeClosed(0, filesAtOnce).boxed().toList();
            ParallelWork.map(workers, workers.size(), worker -> {
                stageRanges(ranges, exporting, journal);
                return worker;
            });
        } finally {
            ParallelWork.uninterrupted(journal::save);
        }
        return staged.stream()
                .sorted(Comparator.comparing(
                        range -> Objects.requireNonNull(range.interval().upTo()), RowIdInterval.BYTE_ORDER))
                .toList();
    }

    /** Everything but the rows that decides what is in a file, as far as the columns do not show it. */
    private String settings(@Nullable SchemaAttributes attributes) {
        return String.join(
                " ",
                "1",
                config.pgDb(),
                config.entityMainTable(),
                config.eavDataTable(),
                config.parquetCompression(),
                String.valueOf(config.parquetCompressionLevel()),
                String.valueOf(attributes));
    }

    /** The first rows. */
    Chunk selectPilot(UUID last) {
        int rows = Math.min(PILOT_ROWS, config.maxBatchSize());
        return during("selection of rows", () -> Objects.requireNonNull(snapshot.selectChunk(null, last, rows)));
    }

    /** Shows how large rows are, in a local file that is not kept. */
    FileContents measure(Chunk pilot) {
        return during("export of the first " + pilot.rowCount() + " rows", () -> {
            try (ExportedFile file = snapshot.export(pilot, rows -> {})) {
                checkRowCount(pilot, file);
                sizes.measured(file.contents());
                return file.contents();
            }
        });
    }

    /** By what was measured so far. */
    ExportRanges.Sizes sizes() {
        return sizes;
    }

    private List<ExportedRange> stageOnly(Chunk chunk) {
        try (ExportedFile file = export(chunk)) {
            return List.of(stage(chunk, file));
        }
    }

    /** One worker's share, until nothing is left. */
    private void stageRanges(ExportRanges ranges, Semaphore exporting, ExportJournal journal) {
        while (true) {
            Chunk chunk;
            ExportedFile exported;
            acquire(exporting);
            try {
                chunk = during("selection of rows", ranges::next);
                if (chunk == null) {
                    return;
                }
                exported = export(chunk);
                sizes.measured(exported.contents());
            } finally {
                exporting.release();
            }
            try (exported) {
                ExportedRange range = stage(chunk, exported);
                staged.add(range);
                journal.add(range);
            }
        }
    }

    private ExportedFile export(Chunk chunk) {
        LongConsumer told = progress.ofPiece(Stage.EXPORT);
        return during("export of " + chunk.rowCount() + " rows", () -> {
            ExportedFile file = snapshot.export(chunk, told);
            try {
                checkRowCount(chunk, file);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
            told.accept(chunk.rowCount());
            return file;
        });
    }

    private static void checkRowCount(Chunk chunk, ExportedFile file) {
        if (file.contents().rowCount() != chunk.rowCount()) {
            throw new CdcException("the file holds " + file.contents().rowCount() + " rows, and " + chunk.rowCount()
                    + " were selected");
        }
    }

    private ExportedRange stage(Chunk chunk, ExportedFile file) {
        RowIdInterval interval = new RowIdInterval(chunk.afterRowId(), chunk.lastRowId());
        boolean isAll = chunk.rowCount() == live.rows();
        RowsDigest digest = isAll ? live : during("count of live rows", () -> snapshot.digest(interval));
        String key = files.newStagedKey();
        return during("upload of " + key, () -> {
            progress.add(Stage.UPLOAD, 0, 0);
            files.stage(file, key);
            progress.add(Stage.UPLOAD, 0, file.contents().sizeBytes());
            LOG.debug("schema {}: staged {} rows as {}", schemaId, chunk.rowCount(), key);
            return new ExportedRange(interval, digest, key, file.contents(), file.lossyCasts());
        });
    }

    private void reuse(ExportedRange range, ExportJournal journal) {
        reused.incrementAndGet();
        staged.add(range);
        journal.add(range);
        sizes.measured(range.contents());
        progress.add(Stage.EXPORT, range.contents().rowCount(), range.contents().sizeBytes());
    }

    private static void acquire(Semaphore semaphore) {
        try {
            semaphore.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted between two files", e);
        }
    }

    /** Remembers what the first worker that failed was at; the others are interrupted because of it. */
    private <T extends @Nullable Object> T during(String step, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            synchronized (this) {
                failedStep = failedStep == null ? step : failedStep;
            }
            throw e;
        }
    }
}
