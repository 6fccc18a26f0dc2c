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

    SchemaPass(
            DirtySchema dirty,
            CdcConfig config,
            Flusher.Ports ports,
            @Nullable SchemaRegistry registry,
            CdcListener listener,
            Clock clock) {
        this.dirty = dirty;
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
        if (!isDue(stats.count(), stats.oldestChangedAtMillis())) {
            return result(Outcome.BELOW_THRESHOLD, null);
        }
        dirtyRows = stats.count();
        listener.schemaStarted(schemaId, dirtyRows);
        UUID after = null;
        do {
            after = flushChunkAfter(after, attributes, appender, locked);
            if (Thread.currentThread().isInterrupted()) {
                step = "pause after " + chunks + " chunks";
                throw new CdcInterruptedException("interrupted");
            }
        } while (after != null && !after.equals(lastRowId));
        return result(Outcome.FLUSHED, null);
    }

    /** Returns the last row id of the chunk, or null when there was none left. */
    private @Nullable UUID flushChunkAfter(
            @Nullable UUID after,
            @Nullable SchemaAttributes attributes,
            FileLog.Appender appender,
            ChangeLogStore.Locked locked) {
        step = "selection of rows";
        Chunk chunk;
        Exported exported;
        try (Snapshot snapshot = ports.exporter().openSnapshot(schemaId, attributes)) {
            chunk = selectChunk(snapshot, after);
            if (chunk == null) {
                return null;
            }
            step = "export of " + chunk.rowCount() + " rows";
            exported = snapshot.export(chunk, progressOf(Stage.EXPORT));
        }
        try (exported) {
            checkRowCount(exported);
            publish(exported, appender, locked);
        }
        return chunk.lastRowId();
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
        progressOf(Stage.UPLOAD).accept(exported.contents().rowCount());
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
        if (!exported.lossyCasts().isEmpty()) {
            LOG.warn(
                    "schema {}: values that do not fit their type are NULL in {}: {}",
                    schemaId,
                    key,
                    exported.lossyCasts());
        }
        listener.fileFlushed(schemaId, file, marked);
    }

    /** Takes rows of the present chunk, on any thread. */
    private LongConsumer progressOf(Stage stage) {
        long rowsBefore = rows;
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
                dirty.rows(),
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
