package io.formacdc.core;

import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Live rows in memory, and an exporter of them, whose files are a line of text for each row. Confined to a thread. */
public final class MemoryLiveRows implements LiveExporter {
    private final Path folder;
    private final Map<Integer, NavigableMap<UUID, Long>> live = new HashMap<>();

    /** @param folder where exported files go */
    public MemoryLiveRows(Path folder) {
        this.folder = folder;
    }

    /** Versions of a schema's live rows by row id, in byte order, to be changed by whoever plays the writer. */
    public NavigableMap<UUID, Long> of(int schemaId) {
        return live.computeIfAbsent(schemaId, id -> new TreeMap<>(RowIdInterval.BYTE_ORDER));
    }

    /** What a file of these rows holds. */
    public static List<String> lines(Map<UUID, Long> rows) {
        return rows.entrySet().stream()
                .map(row -> row.getKey() + " " + row.getValue())
                .toList();
    }

    @Override
    public LiveSnapshot openLiveSnapshot(int schemaId, @Nullable SchemaAttributes attributes, int filesAtOnce) {
        return new MemorySnapshot(new TreeMap<>(of(SchemaIds.check(schemaId))));
    }

    /** Thread-safe. */
    private final class MemorySnapshot implements LiveSnapshot {
        private final NavigableMap<UUID, Long> rows;

        private MemorySnapshot(NavigableMap<UUID, Long> rows) {
            this.rows = rows;
        }

        private NavigableMap<UUID, Long> in(RowIdInterval interval) {
            NavigableMap<UUID, Long> found = new TreeMap<>(rows);
            found.keySet().removeIf(id -> !interval.contains(id));
            return found;
        }

        @Override
        public @Nullable UUID lastRowId() {
            return rows.isEmpty() ? null : rows.lastKey();
        }

        @Override
        public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
            List<UUID> ids = in(new RowIdInterval(afterRowId, upToRowId)).keySet().stream()
                    .limit(maxRows)
                    .toList();
            return ids.isEmpty() ? null : new Chunk(afterRowId, ids.get(ids.size() - 1), ids.size(), List.of());
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CdcInterruptedException("interrupted");
            }
            NavigableMap<UUID, Long> exported = in(new RowIdInterval(chunk.afterRowId(), chunk.lastRowId()));
            Path file = folder.resolve(UUID.randomUUID() + ".parquet");
            try {
                Files.write(file, lines(exported));
                progress.accept(exported.size());
                return new ExportedFile(file, contents(file, exported), RowVersions.of(List.of()), Map.of());
            } catch (IOException e) {
                throw new CdcException("no file " + file, e);
            }
        }

        private static FileContents contents(Path file, NavigableMap<UUID, Long> exported) throws IOException {
            boolean isEmpty = exported.isEmpty();
            return new FileContents(
                    exported.size(),
                    Files.size(file),
                    FileContents.checksumOf(file),
                    isEmpty ? null : new FileContents.RowIdRange(exported.firstKey(), exported.lastKey()),
                    isEmpty ? null : versions(exported),
                    Map.of("row_id", "UUID"));
        }

        private static FileContents.VersionRange versions(Map<UUID, Long> exported) {
            List<Long> ascending = exported.values().stream().sorted().toList();
            return new FileContents.VersionRange(ascending.get(0), ascending.get(ascending.size() - 1));
        }

        @Override
        public RowsDigest digest(RowIdInterval interval) {
            NavigableMap<UUID, Long> found = in(interval);
            return new RowsDigest(
                    found.size(),
                    sum(found, row -> hash(row.getKey(), row.getValue())),
                    sum(found, row -> hash(row.getKey(), ~row.getValue())));
        }

        private static long sum(Map<UUID, Long> rows, ToLongFunction<Map.Entry<UUID, Long>> hash) {
            return rows.entrySet().stream().mapToLong(hash).sum();
        }

        private static long hash(UUID id, long version) {
            long mixed = (id.getMostSignificantBits() * 31 + id.getLeastSignificantBits()) * 31 + version;
            mixed = (mixed ^ (mixed >>> 32)) * 0x9E3779B97F4A7C15L;
            return (mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L;
        }

        @Override
        public void close() {}
    }
}
