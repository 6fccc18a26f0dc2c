package io.formacdc.core;

import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.Exported;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.SnapshotExporter.Snapshot;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A flush of schemas with one dirty row each, on ports in memory, each of whose effects can fail first. */
final class FakePorts {
    private static final UUID ROW = new UUID(0, 1);

    /** What an append does first. */
    Consumer<FlushedFile> beforeAppend = file -> {};

    /** What the search for dirty schemas does first. */
    Runnable beforeSearch = () -> {};

    /** What becomes of an exported file. */
    UnaryOperator<ExportedFile> afterExport = UnaryOperator.identity();

    /** What a mark does first. */
    Runnable beforeMark = () -> {};

    /** What a deletion does first. */
    Runnable beforeDelete = () -> {};

    private final List<Integer> dirtied = new ArrayList<>();
    private final MemoryChangeLog changeLog;
    private final MemoryFileLog fileLog = new MemoryFileLog();
    private final MemoryObjectStore store = new MemoryObjectStore() {
        @Override
        public synchronized void delete(String key) {
            beforeDelete.run();
            super.delete(key);
        }
    };

    FakePorts(Path folder) {
        this.changeLog = new MemoryChangeLog(folder);
    }

    FlushReport flush(@Nullable SchemaRegistry registry, int... schemaIds) {
        for (int schemaId : schemaIds) {
            changeLog.dirty(schemaId, ROW, 1);
            dirtied.add(schemaId);
        }
        CdcConfig config =
                CdcConfig.builder().s3Prefix("data").minRecords(1).build().withDefaults();
        Flusher.Ports ports = new Flusher.Ports(new HookedLog(), this::openSnapshot, store, this::open);
        return new Flusher(config, ports, registry, CdcListener.NONE, Clock.systemUTC()).run(false);
    }

    /** As a writer does to a row that is being flushed. */
    void rewrite(int schemaId) {
        changeLog.dirty(schemaId, ROW, 2);
    }

    /** Keys of the objects in the store. */
    List<String> objects() {
        return store.keys();
    }

    /** Schemas whose row was marked, in order. */
    List<Integer> marked() {
        return dirtied.stream()
                .distinct()
                .filter(schemaId -> changeLog.dirtyRows(schemaId).isEmpty())
                .toList();
    }

    private FileLog.Appender open(int schemaId) {
        FileLog.Appender appender = fileLog.open(schemaId);
        return file -> {
            beforeAppend.accept(file);
            appender.append(file);
        };
    }

    private Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
        return new DelegatingSnapshot(changeLog.openSnapshot(schemaId, attributes)) {
            @Override
            public Exported export(Chunk chunk, LongConsumer progress) {
                return afterExport.apply((ExportedFile) super.export(chunk, progress));
            }
        };
    }

    private final class HookedLog implements ChangeLogStore {
        @Override
        public List<DirtySchema> dirtySchemas() {
            beforeSearch.run();
            return changeLog.dirtySchemas();
        }

        @Override
        public Optional<Locked> tryLock(int schemaId) {
            return changeLog.tryLock(schemaId).map(HookedLocked::new);
        }
    }

    private final class HookedLocked implements ChangeLogStore.Locked {
        private final ChangeLogStore.Locked locked;

        HookedLocked(ChangeLogStore.Locked locked) {
            this.locked = locked;
        }

        @Override
        public ChangeLog.Stats stats() {
            return locked.stats();
        }

        @Override
        public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
            beforeMark.run();
            return locked.markFlushedVersions(versions, flushedAtMillis);
        }

        @Override
        public void close() {
            locked.close();
        }
    }
}
