package io.formacdc.core;

import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.Progress.Amount;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.Progress.Task;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.Exported;
import io.formacdc.core.SnapshotExporter.Snapshot;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One schema's part of a pass, from its lock to its release. The order of the effects is the whole of the promise that
 * nothing is lost, so it stands here in one place:
 *
 * <ol>
 *   <li>lock (saves work; nothing rests on it),
 *   <li>load the list of files (the fence),
 *   <li>for each chunk, in row-id order: snapshot, export to a file, put under a key never used before, append to
 *       the list (<em>the commit point</em>), mark exactly the exported versions.
 * </ol>
 *
 * From the first put on, snapshot and export of the next chunk go on beside it, on a thread that ends before the lock is
 * released. All the rest is done by the calling thread, one chunk after another; so it is that of the first chunk, and a
 * small pass needs no other thread.
 *
 * A chunk that fails before the commit point leaves its rows dirty; its object is deleted, as far as that works, once it
 * is known that nothing lists it. While that is not known, the object stays. A chunk that fails after the commit point
 * leaves its rows dirty and listed, and the next pass lists the same versions again, which readers see once.
 */
final class SchemaPass {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaPass.class);

    private final DirtySchema dirty;
    private final int schemaId;
    private final CdcConfig config;
    private final Flusher.Ports ports;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final Clock clock;

    private final long begin = System.nanoTime();
    private final List<String> keys = new ArrayList<>();
    private final Map<String, Long> lossyCasts = new HashMap<>();
    private long rows;
    private long markedRows;
    private long bytes;
    private int chunks;
    private long dirtyRows;
    private @Nullable UUID lastRowId;
    private String step = "check of the schema id";
    /** Of the chunk being exported, perhaps on another thread than the rest. */
    private volatile String exportStep = "";

    SchemaPass(
            DirtySchema dirty,
            CdcConfig config,
            Flusher.Ports ports,
            @Nullable SchemaRegistry registry,
            CdcListener listener,
            Clock clock) {
        this.dirty = dirty;
        this.dirtyRows = dirty.rows();
        this.schemaId = dirty.schemaId();
        this.config = config;
        this.ports = ports;
        this.registry = registry;
        this.listener = listener;
        this.clock = clock;
    }

    /** Flushes the schema if it is due. Throws nothing: an error is in the result. */
    SchemaFlush flush() {
        if (!isDue(dirty.rows(), dirty.oldestChangedAtMillis())) {
            return result(Outcome.BELOW_THRESHOLD, null);
        }
        try {
            SchemaIds.check(schemaId);
            SchemaAttributes attributes = findAttributes();
            step = "lock";
            Optional<ChangeLogStore.Locked> lock = ports.changeLog().tryLock(schemaId);
            if (lock.isEmpty()) {
                LOG.info("schema {}: locked elsewhere, skipped", schemaId);
                return result(Outcome.LOCKED_ELSEWHERE, null);
            }
            try (ChangeLogStore.Locked locked = lock.get()) {
                return flushLocked(locked, attributes);
            }
        } catch (FencedException e) {
            LOG.info("schema {}: {}", schemaId, e.getMessage());
            for (Throwable cleanup : e.getSuppressed()) {
                LOG.warn("schema {}: {}, and the object stays unlisted: {}", schemaId, step, cleanup.getMessage());
            }
            return result(Outcome.FENCED, null);
        } catch (CommitStateUnknownException e) {
            return result(Outcome.UNKNOWN, named(e));
        } catch (RuntimeException e) {
            return result(Outcome.FAILED, named(e));
        }
    }

    private SchemaFlush flushLocked(ChangeLogStore.Locked locked, @Nullable SchemaAttributes attributes) {
        step = "load of the manifest";
        FileLog.Appender appender = ports.fileLog().open(schemaId);
        step = "count of dirty rows";
        ChangeLog.Stats stats = locked.stats();
        dirtyRows = stats.count();
        if (!isDue(dirtyRows, stats.oldestChangedAtMillis())) {
            return result(Outcome.BELOW_THRESHOLD, null);
        }
        listener.schemaStarted(schemaId, dirtyRows);
        LongConsumer ofFirst = progressOf(Stage.EXPORT, 0);
        ExportedChunk exported = stepOfExport(() -> exportAfter(null, attributes, ofFirst));
        while (exported != null) {
            ExportedChunk present = exported;
            // Opened before the file that is published, so ended after it: no failure here leaves a thread behind.
            try (Ahead<ExportedChunk> next = present.isLast() ? null : ahead(present, attributes)) {
                try (present) {
                    publish(present.file(), appender, locked);
                }
                if (Thread.currentThread().isInterrupted()) {
                    step = "pause after " + chunks + " chunks";
                    throw new CdcInterruptedException("interrupted");
                }
                exported = next == null ? null : stepOfExport(next::take);
            }
        }
        return result(Outcome.FLUSHED, null);
    }

    /** A chunk on the local disk. */
    private record ExportedChunk(Chunk chunk, Exported file, boolean isLast) implements AutoCloseable {
        @Override
        public void close() {
            file.close();
        }
    }

    /**
     * Exports the next chunk while this one is published. Its rows are others, so it matters to neither which of the two
     * comes first; what it read is as old as its snapshot, and that was taken after the fence was loaded.
     */
    private Ahead<ExportedChunk> ahead(ExportedChunk present, @Nullable SchemaAttributes attributes) {
        UUID after = present.chunk().lastRowId();
        LongConsumer progress = progressOf(Stage.EXPORT, rows + present.chunk().rowCount());
        return Ahead.start("forma-cdc-export-" + schemaId, () -> exportAfter(after, attributes, progress));
    }

    private @Nullable ExportedChunk stepOfExport(Supplier<@Nullable ExportedChunk> export) {
        try {
            return export.get();
        } finally {
            step = exportStep;
        }
    }

    /** Returns null when no row was left. The thread may be another than that of the pass. */
    private @Nullable ExportedChunk exportAfter(
            @Nullable UUID after, @Nullable SchemaAttributes attributes, LongConsumer progress) {
        exportStep = "selection of rows";
        try (Snapshot snapshot = ports.exporter().openSnapshot(schemaId, attributes)) {
            Chunk chunk = selectChunk(snapshot, after);
            if (chunk == null) {
                return null;
            }
            exportStep = "export of " + chunk.rowCount() + " rows";
            Exported file = snapshot.export(chunk, progress);
            try {
                checkRowCount(file);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
            return new ExportedChunk(chunk, file, chunk.lastRowId().equals(lastRowId));
        }
    }

    /**
     * Every row id is visited at most once, and none beyond the last one that was dirty at the beginning: without that
     * bound, a writer of ever greater ids would keep a pass going for as long as he writes.
     */
    private @Nullable Chunk selectChunk(Snapshot snapshot, @Nullable UUID after) {
        if (after == null) {
            lastRowId = snapshot.lastRowId();
        }
        return lastRowId == null ? null : snapshot.selectChunk(after, lastRowId, config.chunkRows());
    }

    private void publish(Exported exported, FileLog.Appender appender, ChangeLogStore.Locked locked) {
        String key = CdcPaths.buildDeltaPath(config.s3Prefix(), schemaId, UuidV7.next());
        step = "upload of " + key;
        progressOf(Stage.UPLOAD, rows).accept(exported.contents().rowCount());
        upload(key, exported);
        FlushedFile file = new FlushedFile(key, exported.contents());
        step = "append of " + key + " to the manifest";
        append(file, appender);
        step = "mark of the rows of " + key;
        // Sampled after the append: a reader that resolved its list before it must find flushed_at later than that.
        long flushedAtMillis = clock.millis();
        long marked = locked.markFlushedVersions(exported.versions(), flushedAtMillis);

        keys.add(key);
        chunks++;
        rows += file.contents().rowCount();
        bytes += file.contents().sizeBytes();
        markedRows += marked;
        exported.lossyCasts().forEach((attribute, count) -> lossyCasts.merge(attribute, count, Long::sum));
        LOG.info(
                "schema {}: flushed {} rows ({} marked, {} bytes) to {}",
                schemaId,
                file.contents().rowCount(),
                marked,
                file.contents().sizeBytes(),
                key);
        if (marked == 0) {
            LOG.warn(
                    "schema {}: none of the rows of {} could be marked, so the next pass lists them again; others held or"
                            + " changed all of them, or a policy or trigger of the table keeps them as they are",
                    schemaId,
                    key);
        }
        if (!exported.lossyCasts().isEmpty()) {
            LOG.warn(
                    "schema {}: values that do not fit their type are NULL in {}: {}",
                    schemaId,
                    key,
                    exported.lossyCasts());
        }
        listener.fileFlushed(schemaId, file, marked);
    }

    /** Takes rows of one chunk, on any thread. */
    private LongConsumer progressOf(Stage stage, long rowsBefore) {
        Amount put = new Amount(bytes, 0);
        return n -> listener.progressed(
                new Progress(schemaId, Task.FLUSH, stage, new Amount(rowsBefore + n, dirtyRows), put));
    }

    private void upload(String key, Exported exported) {
        try {
            exported.deliver(ports.store(), key);
        } catch (RuntimeException e) {
            // Nobody can have listed this key, and without a manifest a broken object in its place would be read.
            deleteUnlisted(key, e);
            throw e;
        }
    }

    private void append(FlushedFile file, FileLog.Appender appender) {
        try {
            appender.append(file); // the commit point
        } catch (CommitStateUnknownException e) {
            throw e;
        } catch (CdcException e) {
            // So the file is known not to be listed. What else might be thrown, by a bug, says nothing of that.
            deleteUnlisted(file.key(), e);
            throw e;
        }
    }

    private void deleteUnlisted(String key, RuntimeException reason) {
        try {
            ports.store().delete(key);
        } catch (RuntimeException cleanup) {
            reason.addSuppressed(cleanup);
        }
    }

    private static void checkRowCount(Exported exported) {
        long inFile = exported.contents().rowCount();
        if (inFile != exported.versions().size()) {
            throw new CdcException("the file holds " + inFile + " rows, and "
                    + exported.versions().size() + " were streamed");
        }
    }

    /** Reads what a flush would read, and reports what it would write. Throws nothing: an error is in the result. */
    SchemaFlush plan() {
        if (!isDue(dirty.rows(), dirty.oldestChangedAtMillis())) {
            return result(Outcome.BELOW_THRESHOLD, null);
        }
        try {
            SchemaIds.check(schemaId);
            SchemaAttributes attributes = findAttributes();
            step = "load of the manifest";
            ports.fileLog().open(schemaId);
            step = "selection of rows";
            try (Snapshot snapshot = ports.exporter().openSnapshot(schemaId, attributes)) {
                Chunk chunk = selectChunk(snapshot, null);
                while (chunk != null) {
                    rows += chunk.rowCount();
                    chunks++;
                    chunk = selectChunk(snapshot, chunk.lastRowId());
                }
            }
            step = "export of " + rows + " rows";
            ports.exporter().requireReady();
            return result(Outcome.DRY_RUN, null);
        } catch (RuntimeException e) {
            return result(Outcome.FAILED, named(e));
        }
    }

    private boolean isDue(long count, long oldestChangedAtMillis) {
        return count >= config.minRecords()
                || (count > 0 && clock.millis() - oldestChangedAtMillis >= config.maxAgeMs());
    }

    private @Nullable SchemaAttributes findAttributes() {
        if (registry == null) {
            return null;
        }
        step = "look-up of the schema's attributes";
        return ask(registry)
                .orElseThrow(() -> new CdcException("the schema registry does not know schema " + schemaId
                        + "; register it, or run without a registry to export hot columns under their own names"));
    }

    private Optional<SchemaAttributes> ask(SchemaRegistry ofTheHost) {
        Optional<SchemaAttributes> found;
        try {
            found = ofTheHost.findAttributes(schemaId);
        } catch (RuntimeException e) {
            String text = e.getMessage() == null ? "" : ": " + e.getMessage();
            throw new CdcException("the schema registry threw " + e.getClass().getName() + text, e);
        }
        if (found == null) {
            throw new CdcException("the schema registry returned null for schema " + schemaId
                    + "; it must return an empty Optional for a schema that it does not know");
        }
        return found;
    }

    /** An interrupt reaches a pass as whatever it broke: a cancelled statement, a closed file, an aborted request. */
    private CdcException named(RuntimeException e) {
        String message = "schema " + schemaId + ", " + step + ": " + e.getMessage();
        return Thread.currentThread().isInterrupted()
                ? new CdcInterruptedException(message, e)
                : new CdcException(message, e);
    }

    private SchemaFlush result(Outcome outcome, @Nullable CdcException error) {
        return new SchemaFlush(
                schemaId,
                outcome,
                dirtyRows,
                rows,
                markedRows,
                keys,
                chunks,
                bytes,
                lossyCasts,
                Duration.ofNanos(System.nanoTime() - begin),
                error);
    }
}
