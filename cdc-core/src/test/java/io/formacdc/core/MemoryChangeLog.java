package io.formacdc.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A change log in memory, and an exporter of its dirty rows, whose files are a line of text for each row. */
public final class MemoryChangeLog implements ChangeLogStore, SnapshotExporter {
    private static final int ROWS_OF_A_PIECE = 4_096;

    private final Path folder;
    private final TreeMap<Integer, TreeMap<UUID, Version>> dirty = new TreeMap<>();
    private final Set<Integer> locks = new HashSet<>();
    private int transactions;

    private record Version(long changedAtMillis, int xmin) {}

    /** @param folder where exported files go */
    public MemoryChangeLog(Path folder) {
        this.folder = folder;
    }

    /** As a writer does: gives slot 0 of a row a version. */
    public synchronized void dirty(int schemaId, UUID rowId, long changedAtMillis) {
        dirty.computeIfAbsent(schemaId, id -> new TreeMap<>(RowIdInterval.BYTE_ORDER))
                .put(rowId, new Version(changedAtMillis, ++transactions));
    }

    /** All dirty rows of a schema, as an export notes them. */
    public synchronized RowVersions versions(int schemaId) {
        return versionsOf(rowsOf(schemaId));
    }

    /** Ids of a schema's dirty rows. */
    public synchronized Set<UUID> dirtyRows(int schemaId) {
        return Set.copyOf(rowsOf(schemaId).keySet());
    }

    private NavigableMap<UUID, Version> rowsOf(int schemaId) {
        return dirty.getOrDefault(schemaId, new TreeMap<>(RowIdInterval.BYTE_ORDER));
    }

    private static RowVersions versionsOf(Map<UUID, Version> rows) {
        RowVersions.Collector collector = new RowVersions.Collector();
        rows.forEach((id, version) -> collector.add(
                id.getMostSignificantBits(), id.getLeastSignificantBits(), version.changedAtMillis(), version.xmin()));
        return RowVersions.of(List.of(collector));
    }

    private static long oldest(Map<UUID, Version> rows) {
        return rows.values().stream().mapToLong(Version::changedAtMillis).min().orElse(0);
    }

    @Override
    public synchronized List<DirtySchema> dirtySchemas() {
        return dirty.entrySet().stream()
                .filter(schema -> !schema.getValue().isEmpty())
                .map(schema ->
                        new DirtySchema(schema.getKey(), schema.getValue().size(), oldest(schema.getValue())))
                .toList();
    }

    @Override
    public synchronized Optional<Locked> tryLock(int schemaId) {
        SchemaIds.check(schemaId);
        return locks.add(schemaId) ? Optional.of(new LockedLog(schemaId)) : Optional.empty();
    }

    private final class LockedLog implements Locked {
        private final int schemaId;

        LockedLog(int schemaId) {
            this.schemaId = schemaId;
        }

        @Override
        public ChangeLog.Stats stats() {
            synchronized (MemoryChangeLog.this) {
                return new ChangeLog.Stats(rowsOf(schemaId).size(), oldest(rowsOf(schemaId)));
            }
        }

        @Override
        public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
            synchronized (MemoryChangeLog.this) {
                long marked = 0;
                for (int i = 0; i < versions.size(); i++) {
                    Version version = new Version(versions.changedAtMillis(i), (int) versions.xmin(i));
                    marked += rowsOf(schemaId).remove(versions.rowId(i), version) ? 1 : 0;
                }
                return marked;
            }
        }

        @Override
        public void close() {
            synchronized (MemoryChangeLog.this) {
                locks.remove(schemaId);
            }
        }
    }

    @Override
    public synchronized Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
        SchemaIds.check(schemaId);
        return new MemorySnapshot(Collections.unmodifiableNavigableMap(new TreeMap<>(rowsOf(schemaId))));
    }

    private final class MemorySnapshot implements Snapshot {
        private final NavigableMap<UUID, Version> rows;

        MemorySnapshot(NavigableMap<UUID, Version> rows) {
            this.rows = rows;
        }

        @Override
        public @Nullable UUID lastRowId() {
            return rows.isEmpty() ? null : rows.lastKey();
        }

        @Override
        public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
            List<UUID> ids = between(afterRowId, upToRowId).keySet().stream()
                    .limit(maxRows)
                    .toList();
            if (ids.isEmpty()) {
                return null;
            }
            List<UUID> splits = new ArrayList<>();
            for (int i = ROWS_OF_A_PIECE; i < ids.size(); i += ROWS_OF_A_PIECE) {
                splits.add(ids.get(i - 1));
            }
            return new Chunk(afterRowId, ids.get(ids.size() - 1), ids.size(), splits);
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CdcInterruptedException("interrupted");
            }
            NavigableMap<UUID, Version> exported = between(chunk.afterRowId(), chunk.lastRowId());
            Path file = folder.resolve(UUID.randomUUID() + ".parquet");
            try {
                Files.write(
                        file, exported.entrySet().stream().map(Entry::toString).toList());
                progress.accept(exported.size());
                return new ExportedFile(file, contents(file, exported), versionsOf(exported), Map.of());
            } catch (IOException e) {
                throw new CdcException("no file " + file, e);
            }
        }

        private NavigableMap<UUID, Version> between(@Nullable UUID after, UUID upTo) {
            NavigableMap<UUID, Version> head = rows.headMap(upTo, true);
            if (after == null) {
                return head;
            }
            return RowIdInterval.BYTE_ORDER.compare(after, upTo) < 0
                    ? head.tailMap(after, false)
                    : Collections.emptyNavigableMap();
        }

        private FileContents contents(Path file, NavigableMap<UUID, Version> exported) throws IOException {
            long newest = exported.values().stream()
                    .mapToLong(Version::changedAtMillis)
                    .max()
                    .orElse(0);
            return new FileContents(
                    exported.size(),
                    Files.size(file),
                    FileContents.checksumOf(file),
                    new FileContents.RowIdRange(exported.firstKey(), exported.lastKey()),
                    new FileContents.VersionRange(oldest(exported), newest),
                    Map.of("row_id", "UUID"));
        }

        @Override
        public void close() {}
    }
}
