package io.formacdc.core;

import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.SnapshotExporter.Snapshot;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Ports of a flush in which every schema has one dirty row, and a store that keeps keys alone. */
final class FakePorts {
    private static final UUID ROW = new UUID(0, 1);
    private static final long SIZE_BYTES = 10;

    /** Keys of the objects put and not deleted. */
    final TreeSet<String> store = new TreeSet<>();

    /** Schemas marked, in order. */
    final List<Integer> marked = new ArrayList<>();

    /** What an append does; nothing lists the file. */
    FileLog.Appender appender = file -> {};

    /** What the search for dirty schemas does first. */
    Runnable beforeSearch = () -> {};

    /** What a mark does first. */
    Runnable beforeMark = () -> {};

    /** What a deletion does first. */
    Runnable beforeDelete = () -> {};

    FlushReport flush(@Nullable SchemaRegistry registry, int... schemaIds) {
        CdcConfig config =
                CdcConfig.builder().s3Prefix("data").minRecords(1).build().withDefaults();
        Flusher.Ports ports = new Flusher.Ports(changeLog(schemaIds), exporter(), new KeyStore(), id -> appender);
        return new Flusher(config, ports, registry, CdcListener.NONE, Clock.systemUTC()).run(false);
    }

    private ChangeLogStore changeLog(int... schemaIds) {
        return new ChangeLogStore() {
            @Override
            public List<DirtySchema> dirtySchemas() {
                beforeSearch.run();
                return Arrays.stream(schemaIds)
                        .mapToObj(id -> new DirtySchema(id, 1, 1))
                        .toList();
            }

            @Override
            public Optional<Locked> tryLock(int schemaId) {
                return Optional.of(new Locked() {
                    @Override
                    public ChangeLog.Stats stats() {
                        return new ChangeLog.Stats(1, 1);
                    }

                    @Override
                    public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
                        beforeMark.run();
                        marked.add(schemaId);
                        return versions.size();
                    }

                    @Override
                    public void close() {}
                });
            }
        };
    }

    private static SnapshotExporter exporter() {
        return (schemaId, attributes) -> new Snapshot() {
            @Override
            public UUID lastRowId() {
                return ROW;
            }

            @Override
            public Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
                return new Chunk(afterRowId, ROW, 1, List.of());
            }

            @Override
            public ExportedFile export(Chunk chunk, LongConsumer progress) {
                RowVersions.Collector versions = new RowVersions.Collector();
                versions.add(0, 1, 1, 1);
                FileContents contents = new FileContents(1, SIZE_BYTES, "sha256:", null, null, Map.of());
                return new ExportedFile(
                        Path.of("no such folder", "file"), contents, RowVersions.of(List.of(versions)), Map.of());
            }

            @Override
            public void close() {}
        };
    }

    private final class KeyStore implements ObjectStore {
        @Override
        public String put(String key, Path file) {
            store.add(key);
            return "etag";
        }

        @Override
        public ObjectInfo head(String key) {
            return new ObjectInfo(key, SIZE_BYTES, "etag", java.time.Instant.EPOCH);
        }

        @Override
        public void delete(String key) {
            beforeDelete.run();
            store.remove(key);
        }

        @Override
        public StoredObject get(String key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void download(String key, Path file) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String putIfAbsent(String key, byte[] content) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String putIfMatch(String key, byte[] content, String etag) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void copy(String sourceKey, String targetKey) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Stream<ObjectInfo> list(String prefix) {
            throw new UnsupportedOperationException();
        }
    }
}
