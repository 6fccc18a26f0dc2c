package io.formacdc.manifest;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.BaseExportReport.Outcome;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SchemaLockedException;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.UuidV7;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One initial export of a schema, from its lock to its release. The order of the effects:
 *
 * <ol>
 *   <li>lock, then load of the manifest (the fence), then the snapshot, which all reads join,
 *   <li>for each range of row ids, several at once: export to a local file, staged in the bucket,
 *   <li>copies of all staged files to keys never used before,
 *   <li>one save that lists them in the place of all that was listed (<em>the commit point</em>).
 * </ol>
 *
 * Files are staged because an export may take hours: an unlisted object in its final place would be an orphan to a sweep
 * by then, and part of the base to a reader that lists a bucket without a manifest.
 */
final class SchemaExport {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaExport.class);

    private static final int PILOT_ROWS = 10_000;
    private static final int REQUESTS_AT_ONCE = 8;

    private final int schemaId;
    private final CdcConfig config;
    private final BaseExportOptions options;
    private final BaseExport.Ports ports;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final Clock clock;

    private final long begin = System.nanoTime();
    private final ExportRanges.Sizes sizes;
    private final List<ExportedRange> staged = Collections.synchronizedList(new ArrayList<>());
    private final List<String> placed = Collections.synchronizedList(new ArrayList<>());
    private final AtomicReference<@Nullable String> failedStep = new AtomicReference<>();
    private volatile @Nullable ExportProgress progress;
    private final AtomicInteger reused = new AtomicInteger();
    private String step = "check of the schema id";

    SchemaExport(
            int schemaId,
            CdcConfig config,
            BaseExportOptions options,
            BaseExport.Ports ports,
            @Nullable SchemaRegistry registry,
            CdcListener listener,
            Clock clock) {
        this.schemaId = schemaId;
        this.config = config;
        this.options = options;
        this.ports = ports;
        this.registry = registry;
        this.listener = listener;
        this.clock = clock;
        this.sizes = new ExportRanges.Sizes(config);
    }

    /** Exports the schema. Throws nothing: an error is in the result. */
    BaseExportReport run() {
        try {
            SchemaIds.check(schemaId);
            SchemaAttributes attributes = findAttributes();
            step = "lock";
            ChangeLogStore.Locked lock = ports.changeLog()
                    .tryLock(schemaId)
                    .orElseThrow(() -> new SchemaLockedException("a flush or an export of the schema is under way"
                            + " elsewhere; try again when it is done"));
            try (lock) {
                return exportLocked(lock, attributes);
            }
        } catch (CommitStateUnknownException e) {
            return failure(Outcome.UNKNOWN, e);
        } catch (RuntimeException e) {
            return failure(Outcome.FAILED, e);
        }
    }

    private BaseExportReport exportLocked(ChangeLogStore.Locked lock, @Nullable SchemaAttributes attributes) {
        StoredManifest loaded = loadManifest();
        Fence fence = new Fence(loaded.manifest());
        int filesAtOnce = options.filesAtOnce(config.duckThreads());
        step = "snapshot";
        try (LiveSnapshot snapshot = ports.exporter().openLiveSnapshot(schemaId, attributes, filesAtOnce)) {
            step = "count of live rows";
            UUID last = snapshot.lastRowId();
            if (last == null && loaded.manifest().entries().isEmpty()) {
                return report(Outcome.NOTHING_TO_EXPORT, 0, List.of(), 0, null);
            }
            long liveRows = snapshot.digest(RowIdInterval.ALL).rows();
            progress = new ExportProgress(schemaId, liveRows, listener);
            listener.exportStarted(schemaId, liveRows);
            if (last == null) {
                // Where nothing is listed, readers fall back to the whole bucket.
                exportOnly(LiveSnapshot.NO_ROWS, snapshot);
            } else {
                exportAll(snapshot, last, attributes, filesAtOnce);
            }
            checkComplete(liveRows);
        }
        return publish(loaded, fence, lock);
    }

    private StoredManifest loadManifest() {
        step = "load of the manifest";
        StoredManifest loaded = ports.manifests().load(schemaId);
        step = "look at what is listed";
        BaseReplacement.refuseOthers(loaded.manifest(), options.existingDeltas());
        return loaded;
    }

    private void exportAll(LiveSnapshot snapshot, UUID last, @Nullable SchemaAttributes attributes, int filesAtOnce) {
        Chunk pilot = Objects.requireNonNull(snapshot.selectChunk(null, last, pilotRows()));
        if (pilot.lastRowId().equals(last)) {
            exportOnly(pilot, snapshot);
            return;
        }
        FileContents measured = measure(pilot, snapshot);
        ExportJournal journal =
                new ExportJournal(ports.store(), config.s3Prefix(), schemaId, settings(attributes), measured.columns());
        step = "export of live rows";
        ExportRanges ranges =
                new ExportRanges(snapshot, last, journal.load(), this::isStaged, range -> reuse(range, journal), sizes);
        Semaphore exporting = new Semaphore(filesAtOnce);
        try {
            // One more than export at once: its file is on its way to the bucket meanwhile.
            List<Integer> workers =
                    IntStream.rangeClosed(0, filesAtOnce).boxed().toList();
            ParallelWork.map(workers, workers.size(), worker -> {
                exportRanges(ranges, snapshot, exporting, journal);
                return worker;
            });
        } finally {
            uninterrupted(journal::save);
        }
    }

    private int pilotRows() {
        return Math.min(PILOT_ROWS, config.maxBatchSize());
    }

    /** Shows how large rows are, in a file that is not kept. */
    private FileContents measure(Chunk pilot, LiveSnapshot snapshot) {
        step = "export of the first " + pilot.rowCount() + " rows";
        try (ExportedFile file = snapshot.export(pilot, rows -> {})) {
            checkRowCount(pilot, file);
            sizes.measured(file.contents());
            return file.contents();
        }
    }

    private void exportOnly(Chunk chunk, LiveSnapshot snapshot) {
        try (ExportedFile file = export(chunk, snapshot)) {
            staged.add(stage(chunk, file, snapshot));
        }
    }

    /** One worker's share, until nothing is left. */
    private void exportRanges(ExportRanges ranges, LiveSnapshot snapshot, Semaphore exporting, ExportJournal journal) {
        while (true) {
            Chunk chunk;
            ExportedFile exported;
            acquire(exporting);
            try {
                chunk = during("selection of rows", ranges::next);
                if (chunk == null) {
                    return;
                }
                exported = export(chunk, snapshot);
                ranges.measured(exported.contents());
            } finally {
                exporting.release();
            }
            try (exported) {
                ExportedRange range = stage(chunk, exported, snapshot);
                staged.add(range);
                journal.add(range);
            }
        }
    }

    private ExportedFile export(Chunk chunk, LiveSnapshot snapshot) {
        ExportProgress.OneFile told = Objects.requireNonNull(progress).ofOneFile();
        return during("export of " + chunk.rowCount() + " rows", () -> {
            ExportedFile file = snapshot.export(chunk, told);
            told.finish(chunk.rowCount());
            try {
                checkRowCount(chunk, file);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
            return file;
        });
    }

    private static void checkRowCount(Chunk chunk, ExportedFile file) {
        if (file.contents().rowCount() != chunk.rowCount()) {
            throw new CdcException("the file holds " + file.contents().rowCount() + " rows, and " + chunk.rowCount()
                    + " were selected");
        }
    }

    private ExportedRange stage(Chunk chunk, ExportedFile file, LiveSnapshot snapshot) {
        String key = CdcPaths.buildBaseTempPath(config.s3Prefix(), schemaId, UuidV7.next());
        RowIdInterval interval = new RowIdInterval(chunk.afterRowId(), chunk.lastRowId());
        return during("upload of " + key, () -> {
            try {
                ports.store().put(key, file.path());
                checkSize(key, file.contents());
                LOG.debug("schema {}: staged {} rows as {}", schemaId, chunk.rowCount(), key);
                return new ExportedRange(interval, snapshot.digest(interval), key, file.contents(), file.lossyCasts());
            } catch (RuntimeException e) {
                deleteAfter(e, List.of(key));
                throw e;
            }
        });
    }

    private void checkSize(String key, FileContents contents) {
        long stored = ports.store().head(key).sizeBytes();
        if (stored != contents.sizeBytes()) {
            throw new CdcException("the store holds " + stored + " bytes of " + contents.sizeBytes() + " at " + key);
        }
    }

    private boolean isStaged(ExportedRange range) {
        try {
            return ports.store().head(range.stagedKey()).sizeBytes()
                    == range.contents().sizeBytes();
        } catch (ObjectNotFoundException e) {
            return false;
        }
    }

    private void reuse(ExportedRange range, ExportJournal journal) {
        reused.incrementAndGet();
        staged.add(range);
        journal.add(range);
        sizes.measured(range.contents());
        Objects.requireNonNull(progress).skipped(range.contents().rowCount());
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

    private void checkComplete(long liveRows) {
        long rows = staged.stream().mapToLong(r -> r.contents().rowCount()).sum();
        if (rows != liveRows) {
            throw new CdcException("the files hold " + rows + " rows, and " + liveRows + " are live");
        }
    }

    private BaseExportReport publish(StoredManifest loaded, Fence fence, ChangeLogStore.Locked lock) {
        List<ExportedRange> ranges = staged.stream()
                .sorted(Comparator.comparing(
                        range -> Objects.requireNonNull(range.interval().upTo()), RowIdInterval.BYTE_ORDER))
                .toList();
        Manifest before = loaded.manifest();
        List<ManifestEntry> entries;
        StoredManifest saved;
        try {
            step = "copy of " + ranges.size() + " files to their places";
            boolean isFirst = !loaded.exists() && isHeld(lock);
            entries = ParallelWork.map(ranges, REQUESTS_AT_ONCE, range -> copyToItsPlace(range, isFirst));
            step = "save of the manifest";
            Set<String> known =
                    before.entries().stream().map(ManifestEntry::key).collect(Collectors.toSet());
            saved = ports.manifests()
                    .update(
                            loaded,
                            new BaseReplacement(
                                    fence,
                                    known,
                                    options.existingDeltas(),
                                    entries,
                                    clock.millis())); // the commit point
        } catch (CommitStateUnknownException e) {
            throw e;
        } catch (CdcException e) {
            // So they are known not to be listed. What else might be thrown, by a bug, says nothing of that.
            uninterrupted(() -> deleteAfter(e, placed));
            throw e;
        }
        deleteStaged(ranges);
        int retired = saved.manifest().retired().size() - before.retired().size();
        return exported(entries, Math.max(0, retired));
    }

    /** The keys of a first export name their rows alone, so that only one writer may put objects there. */
    private boolean isHeld(ChangeLogStore.Locked lock) {
        try {
            lock.stats();
            return true;
        } catch (DatabaseException e) {
            LOG.warn("schema {}: the lock is lost, which the fence makes harmless: {}", schemaId, e.getMessage());
            return false;
        }
    }

    private ManifestEntry copyToItsPlace(ExportedRange range, boolean isFirst) {
        String key = keyOf(range.contents(), isFirst);
        placed.add(key);
        ports.store().copy(range.stagedKey(), key);
        checkSize(key, range.contents());
        return ManifestEntry.base(key, range.contents());
    }

    private String keyOf(FileContents contents, boolean isFirst) {
        FileContents.RowIdRange rows = contents.rowIds();
        if (rows == null) {
            return CdcPaths.schemaPrefix(config.s3Prefix(), schemaId) + "base-" + UuidV7.next() + ".parquet";
        }
        String plain = CdcPaths.buildBasePath(config.s3Prefix(), schemaId, rows.min(), rows.max());
        return isFirst && isFree(plain)
                ? plain
                : CdcPaths.buildBasePath(config.s3Prefix(), schemaId, rows.min(), rows.max(), UuidV7.next());
    }

    private boolean isFree(String key) {
        try {
            ports.store().head(key);
            return false;
        } catch (ObjectNotFoundException e) {
            return true;
        }
    }

    /** After the commit: what cannot be deleted is left to a sweep. */
    private void deleteStaged(List<ExportedRange> ranges) {
        List<String> keys =
                new ArrayList<>(ranges.stream().map(ExportedRange::stagedKey).toList());
        keys.add(ExportJournal.keyOf(config.s3Prefix(), schemaId));
        try {
            ParallelWork.map(keys, REQUESTS_AT_ONCE, key -> {
                ports.store().delete(key);
                return key;
            });
        } catch (ObjectStoreException | CdcInterruptedException e) {
            LOG.warn("schema {}: staged files of an export are left to a sweep: {}", schemaId, e.getMessage());
        }
    }

    private void deleteAfter(RuntimeException failure, List<String> keys) {
        for (String key : List.copyOf(keys)) {
            try {
                ports.store().delete(key);
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /** Something short that tidies up although the thread was interrupted. */
    private static void uninterrupted(Runnable work) {
        boolean interrupted = Thread.interrupted();
        try {
            work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private BaseExportReport exported(List<ManifestEntry> entries, int retired) {
        List<String> keys = entries.stream().map(ManifestEntry::key).toList();
        BaseExportReport report = report(Outcome.EXPORTED, rowsStaged(), keys, retired, null);
        LOG.info(
                "schema {}: exported {} rows to {} base files ({} bytes, {} files of an earlier export), {} files"
                        + " retired",
                schemaId,
                report.rows(),
                report.files(),
                report.bytes(),
                report.filesReused(),
                retired);
        if (!report.lossyCasts().isEmpty()) {
            LOG.warn("schema {}: values that do not fit their type are NULL: {}", schemaId, report.lossyCasts());
        }
        return report;
    }

    /** Reads what an export would read, and reports what it would write. Throws nothing: an error is in the result. */
    BaseExportReport plan() {
        try {
            SchemaIds.check(schemaId);
            SchemaAttributes attributes = findAttributes();
            Manifest listed = loadManifest().manifest();
            step = "snapshot";
            try (LiveSnapshot snapshot = ports.exporter().openLiveSnapshot(schemaId, attributes, 1)) {
                step = "count of live rows";
                UUID last = snapshot.lastRowId();
                if (last == null && listed.entries().isEmpty()) {
                    return report(Outcome.NOTHING_TO_EXPORT, 0, List.of(), 0, null);
                }
                long liveRows = snapshot.digest(RowIdInterval.ALL).rows();
                Chunk pilot = last == null
                        ? LiveSnapshot.NO_ROWS
                        : Objects.requireNonNull(snapshot.selectChunk(null, last, pilotRows()));
                FileContents measured = measure(pilot, snapshot);
                return planned(liveRows, measured, listed.entries().size());
            }
        } catch (RuntimeException e) {
            return failure(Outcome.FAILED, e);
        }
    }

    private BaseExportReport planned(long liveRows, FileContents measured, int retired) {
        boolean isAll = measured.rowCount() == liveRows;
        int files = isAll ? 1 : Math.toIntExact(-Math.floorDiv(-liveRows, sizes.rowsPerFile()));
        long bytes = isAll ? measured.sizeBytes() : sizes.bytesOf(liveRows);
        return new BaseExportReport(
                schemaId, Outcome.PLANNED, liveRows, List.of(), files, bytes, 0, retired, Map.of(), elapsed(), null);
    }

    private @Nullable SchemaAttributes findAttributes() {
        if (registry == null) {
            return null;
        }
        step = "look-up of the schema's attributes";
        return registry.findAttributes(schemaId)
                .orElseThrow(() -> new CdcException("the schema registry does not know schema " + schemaId
                        + "; register it, or run without a registry to export hot columns under their own names"));
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
    private <T extends @Nullable Object> T during(String what, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            failedStep.compareAndSet(null, what);
            throw e;
        }
    }

    private BaseExportReport failure(Outcome outcome, RuntimeException e) {
        return report(outcome, 0, List.of(), 0, named(e));
    }

    /** An interrupt reaches an export as whatever it broke: a cancelled statement, a closed file, an aborted request. */
    private CdcException named(RuntimeException e) {
        String failed = failedStep.get();
        String message = "schema " + schemaId + ", " + (failed == null ? step : failed) + ": " + e.getMessage();
        if (e instanceof CommitStateUnknownException unknown) {
            return new CommitStateUnknownException(message, unknown.key(), e);
        } else if (Thread.currentThread().isInterrupted()) {
            return new CdcInterruptedException(message, e);
        } else if (e instanceof ExportRefusedException) {
            return new ExportRefusedException(message, e);
        } else if (e instanceof SchemaLockedException) {
            return new SchemaLockedException(message, e);
        } else if (e instanceof FencedException) {
            return new FencedException(message, e);
        }
        return new CdcException(message, e);
    }

    private long rowsStaged() {
        return staged.stream().mapToLong(range -> range.contents().rowCount()).sum();
    }

    private BaseExportReport report(
            Outcome outcome, long rows, List<String> keys, int retired, @Nullable CdcException error) {
        boolean isListed = outcome == Outcome.EXPORTED;
        Map<String, Long> lossyCasts = new HashMap<>();
        staged.forEach(range -> range.lossyCasts().forEach((name, n) -> lossyCasts.merge(name, n, Long::sum)));
        return new BaseExportReport(
                schemaId,
                outcome,
                rows,
                keys,
                keys.size(),
                isListed
                        ? staged.stream()
                                .mapToLong(r -> r.contents().sizeBytes())
                                .sum()
                        : 0,
                isListed ? reused.get() : 0,
                retired,
                lossyCasts,
                elapsed(),
                error);
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - begin);
    }
}
