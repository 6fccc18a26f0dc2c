package io.formacdc.manifest;

import io.formacdc.core.CdcConfig;
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
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
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

    private final int schemaId;
    private final CdcConfig config;
    private final LiveSnapshot snapshot;
    private final LiveSurvey survey;
    private final BaseFiles files;
    private final WorkProgress progress;
    private final WorkSteps steps;
    private final ExportRanges.Sizes sizes;
    private final List<ExportedRange> staged = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger reused = new AtomicInteger();

    StagedExport(
            int schemaId,
            CdcConfig config,
            LiveSnapshot snapshot,
            LiveSurvey survey,
            BaseFiles files,
            WorkProgress progress,
            WorkSteps steps) {
        this.schemaId = schemaId;
        this.config = config;
        this.snapshot = snapshot;
        this.survey = survey;
        this.files = files;
        this.progress = progress;
        this.steps = steps;
        this.sizes = new ExportRanges.Sizes(config);
    }

    /** How many of the staged files an earlier export has left. */
    int reused() {
        return reused.get();
    }

    /**
     * Stages all rows; a file without any if there is none.
     *
     * @return the files, in row-id order
     */
    List<ExportedRange> stageAll(@Nullable SchemaAttributes attributes, int filesAtOnce) {
        FileContents measured = survey.pilot().measured();
        if (measured == null) {
            return stageOnly(survey.pilot().chunk());
        }
        sizes.measured(measured);
        ExportJournal journal = files.newJournal(settings(attributes), measured.columns());
        ExportRanges ranges = new ExportRanges(
                snapshot,
                Objects.requireNonNull(survey.last()),
                journal.load(),
                files::isStaged,
                range -> reuse(range, journal),
                sizes);
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
                chunk = steps.during("selection of rows", ranges::next);
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
        return steps.during("export of " + chunk.rowCount() + " rows", () -> {
            ExportedFile file = snapshot.export(chunk, told);
            try {
                LiveSurvey.checkRowCount(chunk, file);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
            told.accept(chunk.rowCount());
            return file;
        });
    }

    private ExportedRange stage(Chunk chunk, ExportedFile file) {
        RowIdInterval interval = new RowIdInterval(chunk.afterRowId(), chunk.lastRowId());
        RowsDigest live = survey.live();
        boolean isAll = chunk.rowCount() == live.rows();
        RowsDigest digest = isAll ? live : steps.during("count of live rows", () -> snapshot.digest(interval));
        String key = files.newStagedKey();
        return steps.during("upload of " + key, () -> {
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
}
