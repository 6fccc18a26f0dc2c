package io.formacdc.manifest;

import io.formacdc.core.Amounts;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.Progress.Task;
import io.formacdc.core.RowIdInterval;
import io.formacdc.manifest.BaseLayout.Slot;
import io.formacdc.manifest.CompactionPlan.Action;
import io.formacdc.manifest.CompactionPlan.BaseRewrite;
import io.formacdc.manifest.CompactionPlan.Consolidation;
import io.formacdc.manifest.CompactionPlan.FileDecision;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One schema's part of a compaction. The order of the effects: every source is fetched and verified; merged files are put
 * under keys never used before; one conditional save lists them in the place of their sources (<em>the commit
 * point</em>). A compaction that fails before it leaves the manifest as it was, and at most unlisted objects.
 */
final class SchemaCompaction {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaCompaction.class);

    private static final int MAX_ROUNDS = 3;

    /** If the host does not say. The merger shares out its memory among them. */
    private static final int PARALLEL_FILES = 4;

    private final int schemaId;
    private final CompactionConfig compaction;
    private final Compactor.Ports ports;
    private final CdcListener listener;
    private final Clock clock;
    private final Map<Integer, String> etagsInShape;

    private final long begin = System.nanoTime();
    private final String folder;
    private final MergedFiles files;
    private String step = "load of the manifest";

    SchemaCompaction(
            int schemaId,
            CdcConfig config,
            CompactionConfig compaction,
            Compactor.Ports ports,
            CdcListener listener,
            Clock clock,
            Map<Integer, String> etagsInShape) {
        this.schemaId = schemaId;
        this.compaction = compaction;
        this.ports = ports;
        this.listener = listener;
        this.clock = clock;
        this.etagsInShape = etagsInShape;
        this.folder = CdcPaths.schemaPrefix(config.s3Prefix(), schemaId);
        this.files = new MergedFiles(schemaId, ports.store(), config.s3Prefix(), compaction.tempPrefix());
    }

    /** Decides, and does nothing else: it reads the manifest and the deltas. */
    CompactionPlan plan() {
        StoredManifest loaded = ports.manifests().load(schemaId);
        BaseLayout layout = BaseLayout.of(loaded.manifest(), CompactionPlanner.targetBytes(compaction));
        if (layout.loose().isEmpty()) {
            return plan(loaded.manifest(), layout, List.of()).withWarning(warning(loaded));
        }
        try (Merge merge = ports.merger().open(schemaId)) {
            return plan(loaded.manifest(), layout, readLoose(merge, layout)).withWarning(warning(loaded));
        }
    }

    private @Nullable String warning(StoredManifest loaded) {
        if (!loaded.exists()) {
            return ports.manifests().absence(schemaId);
        }
        return loaded.manifest().entries().stream()
                        .anyMatch(entry -> entry.key().startsWith(folder))
                ? null
                : "the manifest lists no file under \"" + folder + "\", where new ones go; check s3Prefix";
    }

    /** Compacts the schema. Throws nothing: an error is in the result. */
    CompactionReport.SchemaCompaction run() {
        try {
            StoredManifest loaded = ports.manifests().load(schemaId);
            String warning = warning(loaded);
            if (warning != null) {
                LOG.warn("schema {}: {}", schemaId, warning);
            }
            if (!loaded.exists()) {
                return result(Outcome.NO_MANIFEST, CompactionFigures.NONE, null);
            }
            String etag = loaded.etag();
            if (etag != null && etag.equals(etagsInShape.get(schemaId))) {
                listener.compactionDue(schemaId, 0, 0);
                return result(Outcome.NOTHING_TO_DO, CompactionFigures.of(loaded.manifest()), null);
            }
            CompactionFigures figures = compact(loaded);
            listener.compactionDue(schemaId, 0, 0);
            if (figures.retired() == 0 && etag != null) {
                etagsInShape.put(schemaId, etag);
            }
            return result(figures.retired() == 0 ? Outcome.NOTHING_TO_DO : Outcome.COMPACTED, figures, null);
        } catch (Splice.OvertakenException e) {
            LOG.info("schema {}: compaction given up, {}", schemaId, e.getMessage());
            files.deleteAll(e);
            return result(Outcome.OVERTAKEN, CompactionFigures.NONE, null);
        } catch (CommitStateUnknownException e) {
            return result(Outcome.UNKNOWN, CompactionFigures.NONE, named(e));
        } catch (CdcException e) {
            files.deleteAll(e); // known not to be listed
            return result(Outcome.FAILED, CompactionFigures.NONE, named(e));
        } catch (RuntimeException e) {
            return result(Outcome.FAILED, CompactionFigures.NONE, named(e));
        }
    }

    /** What a round has written may be small beside small neighbours, or still too large: then there is another. */
    private CompactionFigures compact(StoredManifest loaded) {
        long targetBytes = CompactionPlanner.targetBytes(compaction);
        CompactionFigures figures = CompactionFigures.of(loaded.manifest());
        StoredManifest current = loaded;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            BaseLayout layout = BaseLayout.of(current.manifest(), targetBytes);
            boolean isDue = layout.isOutOfShape(targetBytes)
                    || (round == 0 && !layout.loose().isEmpty());
            if (!isDue) {
                break;
            }
            try (Merge merge = ports.merger().open(schemaId)) {
                CompactionPlan plan = plan(current.manifest(), layout, readLoose(merge, layout));
                if (plan.isEmpty()) {
                    break;
                }
                Round done = execute(current, plan, merge);
                current = done.saved();
                figures = figures.and(done.retired(), done.written());
            }
        }
        return figures;
    }

    private CompactionPlan plan(Manifest manifest, BaseLayout layout, List<LooseRows> looseRows) {
        List<LooseRows> rows = !looseRows.isEmpty()
                ? looseRows
                : layout.slots().stream()
                        .map(slot -> new LooseRows(0, 0, Map.of()))
                        .toList();
        CompactionPlan plan = new CompactionPlanner(manifest, layout, compaction, rows).plan();
        listener.compactionDue(schemaId, plan.filesTakenUp(), plan.bytesTakenUp());
        return plan;
    }

    private List<LooseRows> readLoose(Merge merge, BaseLayout layout) {
        step = "read of " + Amounts.of(layout.loose().size(), "delta");
        fetch(layout.loose(), merge).forEach(merge::addLoose);
        return merge.looseRowsIn(layout.slots().stream().map(Slot::interval).toList());
    }

    /** @param saved the manifest that lists the new files */
    private record Round(StoredManifest saved, List<ManifestEntry> retired, List<ManifestEntry> written) {}

    private Round execute(StoredManifest loaded, CompactionPlan plan, Merge merge) {
        listener.compactionStarted(schemaId, plan.predictedBytes());
        WorkProgress progress =
                new WorkProgress(schemaId, Task.COMPACTION, plan.predictedRows(), plan.predictedBytes(), listener);
        Map<String, ManifestEntry> byKey =
                loaded.manifest().entries().stream().collect(Collectors.toMap(ManifestEntry::key, e -> e));
        Map<String, Source> bases = fetchBases(plan, byKey, merge);
        step = "merge of " + Amounts.of(plan.rewrites().size(), "part") + " of the base tier";
        // From here on objects are written.
        List<ManifestEntry> entries = new ArrayList<>();
        inParallel(plan.rewrites(), rewrite -> writeBase(rewrite, bases, merge, progress))
                .forEach(entries::addAll);
        entries.addAll(writeDelta(plan, merge, progress));
        Set<String> merged = plan.files().stream()
                .filter(file -> file.action() != Action.KEEP)
                .map(FileDecision::key)
                .collect(Collectors.toSet());
        if (entries.isEmpty() && merged.size() == byKey.size()) {
            entries.add(writeEmptyBase(merge, progress));
        }
        step = "save of the manifest";
        Splice splice = new Splice(schemaId, Set.copyOf(byKey.keySet()), merged, entries, clock.millis());
        StoredManifest saved = ports.manifests().update(loaded, splice); // the commit point
        files.listed();
        LOG.info(
                "schema {}: compacted {} to {} ({} bytes)",
                schemaId,
                Amounts.of(merged.size(), "file"),
                entries.size(),
                CompactionFigures.bytesOf(entries));
        return new Round(saved, merged.stream().map(byKey::get).toList(), entries);
    }

    /** Before anything is written: a source that cannot be trusted ends the compaction here. */
    private Map<String, Source> fetchBases(CompactionPlan plan, Map<String, ManifestEntry> byKey, Merge merge) {
        List<ManifestEntry> entries = plan.rewrites().stream()
                .flatMap(rewrite -> rewrite.baseKeys().stream())
                .map(byKey::get)
                .toList();
        step = "read of " + Amounts.of(entries.size(), "base file");
        return fetch(entries, merge).stream().collect(Collectors.toMap(Source::key, s -> s));
    }

    private List<Source> fetch(List<ManifestEntry> entries, Merge merge) {
        SourceFiles sources = new SourceFiles(ports.store(), merge);
        WorkProgress progress =
                new WorkProgress(schemaId, Task.COMPACTION, 0, CompactionFigures.bytesOf(entries), listener);
        return inParallel(entries, entry -> {
            Source source = sources.fetch(entry);
            progress.add(Stage.FETCH, 0, CompactionFigures.bytesOf(List.of(entry)));
            return source;
        });
    }

    private List<ManifestEntry> writeBase(
            BaseRewrite rewrite, Map<String, Source> bases, Merge merge, WorkProgress progress) {
        List<Source> sources = rewrite.baseKeys().stream().map(bases::get).toList();
        LongConsumer merged = progress.ofPiece(Stage.MERGE);
        return merge.writeBase(rewrite.interval(), sources, rewrite.files(), merged).stream()
                .filter(file -> file.contents().rowCount() > 0)
                .map(file -> ManifestEntry.base(upload(file, "base-", progress), file.contents()))
                .toList();
    }

    private List<ManifestEntry> writeDelta(CompactionPlan plan, Merge merge, WorkProgress progress) {
        Consolidation consolidation = plan.consolidation();
        if (consolidation == null || consolidation.files() == 0) {
            return List.of();
        }
        step = "merge of " + Amounts.of(consolidation.keys().size(), "delta");
        return merge
                .writeDelta(
                        consolidation.keys(),
                        plan.rewrites().stream().map(BaseRewrite::interval).toList(),
                        consolidation.files())
                .stream()
                .peek(file -> progress.add(Stage.MERGE, file.contents().rowCount(), 0))
                .map(file -> ManifestEntry.delta(upload(file, "delta-", progress), file.contents()))
                .toList();
    }

    /** An emptied schema lists a file without rows: where nothing is listed, readers take the whole bucket. */
    private ManifestEntry writeEmptyBase(Merge merge, WorkProgress progress) {
        LocalFile file =
                merge.writeBase(RowIdInterval.ALL, List.of(), 1, rows -> {}).get(0);
        return ManifestEntry.base(upload(file, "base-", progress), file.contents());
    }

    private String upload(LocalFile file, String namePrefix, WorkProgress progress) {
        progress.add(Stage.UPLOAD, 0, 0);
        String key = files.upload(file, namePrefix);
        progress.add(Stage.UPLOAD, 0, file.contents().sizeBytes());
        return key;
    }

    private <T, R> List<R> inParallel(List<T> inputs, Function<T, R> work) {
        int atOnce = compaction.maxParallelFiles() > 0 ? compaction.maxParallelFiles() : PARALLEL_FILES;
        return ParallelWork.map(inputs, atOnce, work);
    }

    private CdcException named(RuntimeException e) {
        return new CdcException("schema " + schemaId + ", " + step + ": " + e.getMessage(), e);
    }

    private CompactionReport.SchemaCompaction result(
            Outcome outcome, CompactionFigures figures, @Nullable CdcException error) {
        return new CompactionReport.SchemaCompaction(
                schemaId,
                outcome,
                figures.before(),
                figures.after(),
                figures.retired(),
                figures.written(),
                figures.bytesRetired(),
                figures.bytesWritten(),
                Duration.ofNanos(System.nanoTime() - begin),
                error);
    }
}
