package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.SCHEMA;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.Flusher;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.manifest.Lines.Row;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One schema, its tables and its bucket in memory, and everything that the library does with them, for real but for what
 * is behind the ports. Every work is that of a new process.
 */
final class CrashWorld {
    /** What a process does. */
    enum Work {
        FLUSH,
        COMPACT,
        EXPORT,
        SWEEP
    }

    private static final CdcConfig CONFIG = CdcConfig.builder()
            .s3Prefix("data")
            .minRecords(1)
            .batchSize(2)
            .duckThreads(64)
            .build()
            .withDefaults();

    /** All that a look depends on. */
    private record State(List<ObjectInfo> objects, List<Object> versions) {}

    final MemoryTables tables;
    final MemoryObjectStore objects;
    final Turns.Order order;
    private final Path temp;
    private final int maxRetries;
    private Instant now;
    private @Nullable State lastSeen;

    /**
     * @param temp where each work gets a folder for its local files
     * @param maxRetries of saves and reloads; with none, two failures leave the outcome of a save unknown
     * @param order of calls that threads of one work make at once
     */
    CrashWorld(Path temp, int maxRetries, Turns.Order order) {
        this(temp, maxRetries, order, new MemoryTables(), new MemoryObjectStore(), Instant.now());
    }

    private CrashWorld(
            Path temp, int maxRetries, Turns.Order order, MemoryTables tables, MemoryObjectStore objects, Instant now) {
        this.temp = temp;
        this.maxRetries = maxRetries;
        this.order = order;
        this.tables = tables;
        this.objects = objects;
        this.now = now;
    }

    /** A world that goes on from here; between two works only. */
    CrashWorld copy() {
        return new CrashWorld(temp, maxRetries, order, tables.copy(), objects.copy(), now);
    }

    /** Lets time pass, so that every grace is over. */
    void passTime() {
        now = now.plus(Duration.ofDays(2));
    }

    /** Does a work without any fault. */
    void run(Work work) {
        run(work, new Faults());
    }

    /**
     * Does a work in a new process, which must not leave a local file.
     *
     * @throws CdcException whatever it throws
     */
    void run(Work work, Faults faults) {
        if (faults.isDead()) {
            tables.loseLock();
            faults.newProcess();
        }
        Path folder = newFolder();
        try {
            Turns.run(order, turns -> {
                faults.inTurns(turns);
                work(work, folder, faults);
            });
        } finally {
            faults.rethrow();
            deleteEmpty(folder);
        }
    }

    private Path newFolder() {
        try {
            return Files.createTempDirectory(temp, "work");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void deleteEmpty(Path folder) {
        try {
            Files.delete(folder);
        } catch (DirectoryNotEmptyException e) {
            throw new AssertionError("a local file is left", e);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void work(Work work, Path folder, Faults faults) {
        Clock clock = Clock.fixed(now, ZoneOffset.UTC);
        ObjectStore store = new FaultyStore(objects, faults);
        ManifestStore manifests = new ManifestStore(
                store,
                Manifests.CONFIG,
                Manifests.OPTIONS.toBuilder()
                        .singleWriterStore(true)
                        .clock(clock)
                        .maxRetries(maxRetries)
                        .build());
        switch (work) {
            case FLUSH -> {
                Flusher.Ports ports = new Flusher.Ports(
                        tables.changeLog(faults),
                        tables.dirtyExporter(folder, faults),
                        store,
                        new ManifestFileLog(manifests));
                new Flusher(CONFIG, ports, null, CdcListener.NONE, clock)
                        .run(false)
                        .schemas()
                        .forEach(schema -> assertThat(schema.outcome())
                                .isIn(
                                        Outcome.FLUSHED,
                                        Outcome.FENCED,
                                        Outcome.LOCKED_ELSEWHERE,
                                        Outcome.BELOW_THRESHOLD));
            }
            case EXPORT -> {
                BaseExport.Ports ports = new BaseExport.Ports(
                        tables.changeLog(faults), tables.liveExporter(folder, faults), store, manifests);
                new BaseExport(CONFIG, ports, null, CdcListener.NONE, clock)
                        .run(SCHEMA, BaseExportOptions.DEFAULTS.replacingDeltas());
            }
            case COMPACT -> {
                CompactionConfig compaction = CompactionConfig.builder()
                        .dirtyRatioPct(40)
                        .maxParallelFiles(1)
                        .build()
                        .withDefaults();
                Compactor.Ports ports = new Compactor.Ports(store, manifests, new LineMerger(folder, faults));
                new Compactor(CONFIG, compaction, ports, CdcListener.NONE, clock).runOnce(List.of(SCHEMA));
            }
            case SWEEP -> new Sweeper(store, manifests, "data", SweepOptions.DEFAULTS, clock).sweep(SCHEMA);
        }
    }

    /** Checks what a reader sees that resolves its list now, and takes dirty rows from the tables. */
    synchronized void assertReadersSeeTheTables() {
        State state = new State(objects.list("").toList(), tables.versions());
        if (state.equals(lastSeen)) {
            return;
        }
        Map<UUID, Row> seen = listedRows();
        // A row that was not dirty then was listed before; so these come after the list here, where nothing moves.
        tables.dirty().forEach(seen::put);
        seen.values().removeIf(row -> !row.isLive());
        assertThat(seen).isEqualTo(tables.live());
        lastSeen = state;
    }

    /** Checks that the files alone hold what the tables hold. */
    void assertFlushed() {
        assertThat(tables.isClean()).as("nothing is dirty").isTrue();
        assertReadersSeeTheTables();
    }

    private Map<UUID, Row> listedRows() {
        List<String> keys = Manifests.keysOf(manifest());
        assertThat(keys).doesNotHaveDuplicates();
        List<String> there = objects.keys();
        assertThat(there).as("listed files are there").containsAll(keys);
        return Lines.newest(keys.stream()
                .flatMap(key -> Lines.parse(objects.peek(key)).stream())
                .toList());
    }

    /** Checks that nothing but what is listed is left in the bucket, once all sweeps are done. */
    void assertNothingElseInTheBucket() {
        Manifest manifest = manifest();
        assertThat(manifest.retired()).isEmpty();
        assertThat(manifest.orphans()).isEmpty();
        assertThat(objects.keys().stream().filter(key -> key.startsWith("data/")))
                .filteredOn(key -> !key.endsWith("/_tmp/export.json"))
                .containsExactlyInAnyOrderElementsOf(Manifests.keysOf(manifest));
    }

    Manifest manifest() {
        return Manifests.store(objects).load(SCHEMA).manifest();
    }
}
