package io.formacdc.manifest;

import io.formacdc.core.Amounts;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.BaseExportReport.Outcome;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.Progress.Task;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaLockedException;
import io.formacdc.core.SchemaRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
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

    private final int schemaId;
    private final CdcConfig config;
    private final BaseExportOptions options;
    private final BaseExport.Ports ports;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final Clock clock;

    private final long begin = System.nanoTime();
    private final BaseFiles files;
    private final WorkSteps steps = new WorkSteps();
    private @Nullable StagedExport staged;
    private List<ExportedRange> ranges = List.of();
    private String step = "look-up of the schema's attributes";

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
        this.files = new BaseFiles(ports.store(), config.s3Prefix(), schemaId);
    }

    /** Exports the schema. Throws nothing: an error is in the result. */
    BaseExportReport run() {
        try {
            SchemaAttributes attributes = findAttributes();
            step = "lock";
            ChangeLogStore.Locked lock = ports.changeLog()
                    .tryLock(schemaId)
                    .orElseThrow(() -> new SchemaLockedException("a flush or an export of the schema is under way"
                            + " elsewhere; try again when it is done"));
            try (lock) {
                return exportLocked(attributes);
            }
        } catch (CommitStateUnknownException e) {
            return failure(Outcome.UNKNOWN, e);
        } catch (RuntimeException e) {
            return failure(Outcome.FAILED, e);
        }
    }

    private BaseExportReport exportLocked(@Nullable SchemaAttributes attributes) {
        StoredManifest loaded = loadManifest();
        Fence fence = new Fence(loaded.manifest());
        int filesAtOnce = options.filesAtOnce(config.duckThreads());
        step = "snapshot";
        try (LiveSnapshot snapshot = ports.exporter().openLiveSnapshot(schemaId, attributes, filesAtOnce)) {
            step = "count of live rows";
            UUID last = snapshot.lastRowId();
            if (last == null && loaded.manifest().entries().isEmpty()) {
                return report(Outcome.NOTHING_TO_EXPORT, List.of(), 0, null);
            }
            LiveSurvey survey = LiveSurvey.of(snapshot, last, config.maxBatchSize(), steps);
            long liveRows = survey.live().rows();
            listener.exportStarted(schemaId, liveRows);
            step = "export of live rows";
            StagedExport staging =
                    new StagedExport(schemaId, config, snapshot, survey, files, progressOf(liveRows, 0), steps);
            staged = staging;
            // A file without rows too: where nothing is listed, readers fall back to the whole bucket.
            ranges = staging.stageAll(attributes, filesAtOnce);
            checkComplete(liveRows);
        }
        return publish(loaded, fence);
    }

    private WorkProgress progressOf(long totalRows, long totalBytes) {
        return new WorkProgress(schemaId, Task.BASE_EXPORT, totalRows, totalBytes, listener);
    }

    private StoredManifest loadManifest() {
        step = "load of the manifest";
        StoredManifest loaded = ports.manifests().load(schemaId);
        step = "look at what is listed";
        BaseReplacement.refuseOthers(loaded.manifest(), options.existingDeltas());
        return loaded;
    }

    private void checkComplete(long liveRows) {
        long rows = rowsIn(ranges);
        if (rows != liveRows) {
            throw new CdcException("the files hold " + rows + " rows, and " + liveRows + " are live");
        }
    }

    private BaseExportReport publish(StoredManifest loaded, Fence fence) {
        Manifest before = loaded.manifest();
        List<ManifestEntry> entries;
        StoredManifest saved;
        try {
            step = "copy of " + ranges.size() + " files to their places";
            entries = files.place(ranges, progressOf(rowsIn(ranges), bytesIn(ranges)));
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
            ParallelWork.uninterrupted(() -> files.deletePlaced(e));
            throw e;
        }
        files.deleteStaged(ranges);
        int retired = saved.manifest().retired().size() - before.retired().size();
        return exported(entries, Math.max(0, retired));
    }

    private BaseExportReport exported(List<ManifestEntry> entries, int retired) {
        List<String> keys = entries.stream().map(ManifestEntry::key).toList();
        BaseExportReport report = report(Outcome.EXPORTED, keys, retired, null);
        LOG.info(
                "schema {}: exported {} to {} ({} bytes, {} of an earlier export), {} retired",
                schemaId,
                Amounts.of(report.rows(), "row"),
                Amounts.of(report.files(), "base file"),
                report.bytes(),
                Amounts.of(report.filesReused(), "file"),
                Amounts.of(retired, "file"));
        if (!report.lossyCasts().isEmpty()) {
            LOG.warn("schema {}: values that do not fit their type are NULL: {}", schemaId, report.lossyCasts());
        }
        return report;
    }

    /** Reads what an export would read, and reports what it would write. Throws nothing: an error is in the result. */
    BaseExportReport plan() {
        try {
            SchemaAttributes attributes = findAttributes();
            Manifest listed = loadManifest().manifest();
            step = "snapshot";
            try (LiveSnapshot snapshot = ports.exporter().openLiveSnapshot(schemaId, attributes, 1)) {
                step = "count of live rows";
                UUID last = snapshot.lastRowId();
                if (last == null && listed.entries().isEmpty()) {
                    return report(Outcome.NOTHING_TO_EXPORT, List.of(), 0, null);
                }
                LiveSurvey survey = LiveSurvey.of(snapshot, last, config.maxBatchSize(), steps);
                FileContents measured = survey.measured(snapshot, steps);
                return planned(survey.live().rows(), measured, listed.entries().size());
            }
        } catch (RuntimeException e) {
            return failure(Outcome.FAILED, e);
        }
    }

    private BaseExportReport planned(long liveRows, FileContents measured, int retired) {
        ExportRanges.Sizes sizes = new ExportRanges.Sizes(config);
        sizes.measured(measured);
        boolean isAll = measured.rowCount() == liveRows;
        long predicted = isAll ? 1 : -Math.floorDiv(-liveRows, (long) sizes.rowsPerFile());
        long bytes = isAll ? measured.sizeBytes() : sizes.bytesOf(liveRows);
        return new BaseExportReport(
                schemaId,
                Outcome.PLANNED,
                liveRows,
                List.of(),
                Math.toIntExact(predicted),
                bytes,
                0,
                retired,
                Map.of(),
                elapsed(),
                null);
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

    private BaseExportReport failure(Outcome outcome, RuntimeException e) {
        return report(outcome, List.of(), 0, named(e));
    }

    /** An interrupt reaches an export as whatever it broke: a cancelled statement, a closed file, an aborted request. */
    private CdcException named(RuntimeException e) {
        String failed = steps.failed();
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

    private BaseExportReport report(Outcome outcome, List<String> keys, int retired, @Nullable CdcException error) {
        List<ExportedRange> listed = outcome == Outcome.EXPORTED ? ranges : List.of();
        Map<String, Long> lossyCasts = new HashMap<>();
        listed.forEach(range -> range.lossyCasts().forEach((name, n) -> lossyCasts.merge(name, n, Long::sum)));
        return new BaseExportReport(
                schemaId,
                outcome,
                rowsIn(listed),
                keys,
                keys.size(),
                bytesIn(listed),
                staged == null || listed.isEmpty() ? 0 : staged.reused(),
                retired,
                lossyCasts,
                elapsed(),
                error);
    }

    private static long rowsIn(List<ExportedRange> ranges) {
        return ranges.stream().mapToLong(range -> range.contents().rowCount()).sum();
    }

    private static long bytesIn(List<ExportedRange> ranges) {
        return ranges.stream().mapToLong(range -> range.contents().sizeBytes()).sum();
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - begin);
    }
}
