package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.keysOf;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLog;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.MemoryLiveRows;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rows, a bucket, and an export of the ones to the other, all in memory but for the files. A file is one line of text for
 * each row. Every step can fail, before or after it took place.
 */
final class ExportWorld {
    /** What an export does. */
    enum Call {
        LOCK,
        MANIFEST_GET,
        SNAPSHOT,
        LAST_ROW,
        DIGEST,
        SELECT,
        EXPORT,
        JOURNAL_GET,
        PUT,
        HEAD,
        JOURNAL_SAVE,
        COPY,
        MANIFEST_SAVE,
        DELETE
    }

    private static final int ROWS_PER_FILE = 1_000;

    final NavigableMap<UUID, Long> rows;
    final MemoryObjectStore objects = new MemoryObjectStore();

    /** As others use it. */
    final ManifestStore manifests = Manifests.store(objects);

    /** Happens right before a snapshot is taken. */
    Runnable atSnapshot = () -> {};

    /** The call that counts a row too many; null for none. */
    @Nullable
    Call miscounting;

    String codec = "zstd";
    int duckThreads = 1;
    boolean isLocked;
    int snapshots;
    int filesAtOnce;

    private final Path folder;
    private final MemoryLiveRows live;
    private final Map<Call, Integer> calls = new EnumMap<>(Call.class);
    private final Map<Call, Map<Integer, Runnable>> before = new EnumMap<>(Call.class);
    private final Map<Call, Map<Integer, Runnable>> after = new EnumMap<>(Call.class);
    private boolean hasFailed;

    ExportWorld(Path folder) {
        this.folder = folder;
        this.live = new MemoryLiveRows(folder);
        this.rows = live.of(SCHEMA);
    }

    /** Rows of ids all over the 128 bits. */
    void insert(int count) {
        for (int n = 1; n <= count; n++) {
            rows.put(new UUID(n * 0x9E3779B97F4A7C15L, n), 1_000L + n);
        }
    }

    /** Gives the n-th row in order a new version. */
    void update(int n) {
        rows.entrySet().stream().skip(n).findFirst().orElseThrow().setValue(9_000_000L);
    }

    /** Lists a delta, as a flush does. */
    void flush(int number) {
        new ManifestFileLog(manifests).open(SCHEMA).append(Manifests.flushed(number));
    }

    /** Does something right before a call; counted from 1. */
    void onCall(Call call, int occurrence, Runnable work) {
        before.computeIfAbsent(call, c -> new HashMap<>()).put(occurrence, work);
    }

    void fail(Call call, int occurrence, boolean isAfter) {
        (isAfter ? after : before).computeIfAbsent(call, c -> new HashMap<>()).put(occurrence, () -> {
            hasFailed = true;
            throw new ObjectStoreException("injected failure of " + call + " " + occurrence);
        });
    }

    /** From now on nothing fails. */
    ExportWorld heal() {
        before.clear();
        after.clear();
        return this;
    }

    boolean hasFailed() {
        return hasFailed;
    }

    synchronized int calls(Call call) {
        return calls.getOrDefault(call, 0);
    }

    BaseExportReport export(BaseExportOptions options) {
        return export(options, report -> {});
    }

    BaseExportReport export(BaseExportOptions options, Consumer<BaseExportReport> finished) {
        return baseExport(finished).run(SCHEMA, options);
    }

    BaseExportReport plan(BaseExportOptions options) {
        return baseExport(report -> {}).plan(SCHEMA, options);
    }

    private BaseExport baseExport(Consumer<BaseExportReport> finished) {
        CdcConfig config = CdcConfig.builder()
                .s3Prefix("data")
                .parquetCompression(codec)
                .duckThreads(duckThreads)
                .maxBatchSize(ROWS_PER_FILE)
                .build()
                .withDefaults();
        ObjectStore stepped = new SteppedStore();
        BaseExport.Ports ports = new BaseExport.Ports(
                new OneLock(),
                this::open,
                stepped,
                new ManifestStore(
                        stepped,
                        Manifests.CONFIG,
                        Manifests.OPTIONS.toBuilder().singleWriterStore(true).build()));
        Clock clock = Clock.fixed(Instant.ofEpochMilli(Manifests.NOW), ZoneOffset.UTC);
        return new BaseExport(config, ports, null, new FinishListener(finished), clock);
    }

    private record FinishListener(Consumer<BaseExportReport> finished) implements CdcListener {
        @Override
        public void exportFinished(BaseExportReport export) {
            finished.accept(export);
        }
    }

    Manifest manifest() {
        return manifests.load(SCHEMA).manifest();
    }

    List<String> stagedKeys() {
        return objects.keys().stream().filter(key -> key.contains("/_tmp/")).toList();
    }

    /** Objects where base files are, that are not listed. */
    List<String> unlistedInPlace() {
        Manifest manifest = manifest();
        return objects.keys().stream()
                .filter(key -> key.startsWith("data/7/") && !key.contains("/_tmp/"))
                .filter(key -> !manifest.lists(key) && !manifest.retires(key))
                .toList();
    }

    /** Checks that the listed files hold the live rows, each once, in row-id order from file to file. */
    void assertListedIsLive() {
        List<String> lines = new ArrayList<>();
        for (ManifestEntry entry : manifest().entries()) {
            List<String> ofFile =
                    new String(objects.peek(entry.key()), UTF_8).lines().toList();
            assertThat(entry.level()).isEqualTo(ManifestEntry.BASE);
            assertThat(entry.rowCount()).isEqualTo(ofFile.size());
            assertThat(ofFile.get(0)).startsWith(String.valueOf(entry.minRowId()));
            assertThat(ofFile.get(ofFile.size() - 1)).startsWith(String.valueOf(entry.maxRowId()));
            lines.addAll(ofFile);
        }
        assertThat(lines).isEqualTo(MemoryLiveRows.lines(rows));
        assertThat(keysOf(manifest())).doesNotHaveDuplicates();
    }

    private <T extends @Nullable Object> T step(Call call, Supplier<T> effect) {
        int occurrence;
        synchronized (this) {
            occurrence = calls.merge(call, 1, Integer::sum);
        }
        run(before, call, occurrence);
        T result = effect.get();
        try {
            run(after, call, occurrence);
        } catch (RuntimeException e) {
            if (result instanceof ExportedFile lost) {
                lost.close();
            }
            throw e;
        }
        return result;
    }

    private static void run(Map<Call, Map<Integer, Runnable>> work, Call call, int occurrence) {
        work.getOrDefault(call, Map.of()).getOrDefault(occurrence, () -> {}).run();
    }

    private final class OneLock implements ChangeLogStore {
        @Override
        public List<DirtySchema> dirtySchemas() {
            throw new UnsupportedOperationException("an export does not ask for dirty rows");
        }

        @Override
        public Optional<Locked> tryLock(int schemaId) {
            return step(
                    Call.LOCK,
                    () -> isLocked
                            ? Optional.empty()
                            : Optional.of(new Locked() {
                                @Override
                                public ChangeLog.Stats stats() {
                                    throw new UnsupportedOperationException("an export counts no dirty rows");
                                }

                                @Override
                                public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
                                    throw new UnsupportedOperationException("an export marks nothing");
                                }

                                @Override
                                public void close() {}
                            }));
        }
    }

    private LiveSnapshot open(int schemaId, @Nullable SchemaAttributes attributes, int filesAtOnce) {
        return step(Call.SNAPSHOT, () -> {
            atSnapshot.run();
            snapshots++;
            this.filesAtOnce = filesAtOnce;
            return new SteppedRows(live.openLiveSnapshot(schemaId, attributes, filesAtOnce));
        });
    }

    private final class SteppedRows implements LiveSnapshot {
        private final LiveSnapshot instant;

        private SteppedRows(LiveSnapshot instant) {
            this.instant = instant;
        }

        @Override
        public @Nullable UUID lastRowId() {
            return step(Call.LAST_ROW, instant::lastRowId);
        }

        @Override
        public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
            Chunk chunk = step(Call.SELECT, () -> instant.selectChunk(afterRowId, upToRowId, maxRows));
            return chunk == null || miscounting != Call.SELECT
                    ? chunk
                    : new Chunk(chunk.afterRowId(), chunk.lastRowId(), chunk.rowCount() + 1, chunk.splits());
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            return step(Call.EXPORT, () -> instant.export(chunk, progress));
        }

        @Override
        public RowsDigest digest(RowIdInterval interval) {
            RowsDigest digest = step(Call.DIGEST, () -> instant.digest(interval));
            return miscounting != Call.DIGEST ? digest : new RowsDigest(digest.rows() + 1, digest.high(), digest.low());
        }

        @Override
        public void close() {
            instant.close();
        }
    }

    /** The bucket as the export sees it. */
    private final class SteppedStore implements ObjectStore {
        private Call callOf(String key, Call ofManifest, Call ofJournal) {
            return key.endsWith("/export.json") ? ofJournal : ofManifest;
        }

        @Override
        public StoredObject get(String key) {
            return key.contains(".probe-")
                    ? objects.get(key)
                    : step(callOf(key, Call.MANIFEST_GET, Call.JOURNAL_GET), () -> objects.get(key));
        }

        @Override
        public String putIfAbsent(String key, byte[] content) {
            return key.contains(".probe-")
                    ? objects.putIfAbsent(key, content)
                    : step(callOf(key, Call.MANIFEST_SAVE, Call.JOURNAL_SAVE), () -> objects.putIfAbsent(key, content));
        }

        @Override
        public String putIfMatch(String key, byte[] content, String etag) {
            return key.contains(".probe-")
                    ? objects.putIfMatch(key, content, etag)
                    : step(
                            callOf(key, Call.MANIFEST_SAVE, Call.JOURNAL_SAVE),
                            () -> objects.putIfMatch(key, content, etag));
        }

        @Override
        public String put(String key, Path file) {
            return step(Call.PUT, () -> objects.put(key, file));
        }

        @Override
        public void copy(String sourceKey, String targetKey) {
            step(Call.COPY, () -> {
                objects.copy(sourceKey, targetKey);
                return targetKey;
            });
        }

        @Override
        public void delete(String key) {
            if (key.contains(".probe-")) {
                objects.delete(key);
                return;
            }
            step(Call.DELETE, () -> {
                objects.delete(key);
                return key;
            });
        }

        @Override
        public ObjectInfo head(String key) {
            return step(Call.HEAD, () -> objects.head(key));
        }

        @Override
        public void download(String key, Path file) {
            throw new UnsupportedOperationException("an export downloads nothing");
        }

        @Override
        public Stream<ObjectInfo> list(String prefix) {
            throw new UnsupportedOperationException("an export lists nothing");
        }
    }

    /** Local files that are left. */
    List<Path> localFiles() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
