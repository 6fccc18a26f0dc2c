package io.formacdc.examples.springboot;

import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestSize;
import io.formacdc.core.OpenSnapshot;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Makes metrics of what the library tells. All have a label {@code schema}, but for those of PostgreSQL's snapshots and of
 * DuckDB. What is a rate or a total is of this process alone; what is a state is as its last look found it.
 *
 * <table>
 * <caption>Metrics at {@code /actuator/prometheus}</caption>
 * <tr><th>Name</th><th>Kind</th><th>Meaning</th></tr>
 * <tr><td>{@code cdc_backlog_rows}</td><td>gauge</td><td>dirty rows, as the last pass found and left them</td></tr>
 * <tr><td>{@code cdc_backlog_age_seconds}</td><td>gauge</td><td>time since the oldest of them was changed; 0 without
 *     any</td></tr>
 * <tr><td>{@code cdc_flush_lag_seconds}</td><td>summary</td><td>for each flushed file, from the change of its oldest row
 *     to the moment at which it was listed</td></tr>
 * <tr><td>{@code cdc_flush_seconds}</td><td>summary</td><td>duration of flushes, by {@code outcome}; those below their
 *     thresholds too</td></tr>
 * <tr><td>{@code cdc_flushed_rows_total}</td><td>counter</td><td>rows in flushed files</td></tr>
 * <tr><td>{@code cdc_flushed_bytes_total}</td><td>counter</td><td>size of flushed files</td></tr>
 * <tr><td>{@code cdc_files}</td><td>gauge</td><td>listed files, by {@code tier}</td></tr>
 * <tr><td>{@code cdc_files_bytes}</td><td>gauge</td><td>their size, by {@code tier}</td></tr>
 * <tr><td>{@code cdc_files_retired}</td><td>gauge</td><td>files no longer listed, that no sweep has deleted yet</td></tr>
 * <tr><td>{@code cdc_manifest_conflicts_total}</td><td>counter</td><td>saves of the manifest refused because another
 *     writer came first, and tried again</td></tr>
 * <tr><td>{@code cdc_commits_unknown_total}</td><td>counter</td><td>commits of which nobody can say whether they took
 *     effect, by {@code task}</td></tr>
 * <tr><td>{@code cdc_lossy_casts_total}</td><td>counter</td><td>values that did not fit their declared type and became
 *     NULL, by {@code attribute}</td></tr>
 * <tr><td>{@code cdc_compaction_due_files}</td><td>gauge</td><td>files that a compaction is to take up, and has not
 *     yet</td></tr>
 * <tr><td>{@code cdc_compaction_due_bytes}</td><td>gauge</td><td>their size</td></tr>
 * <tr><td>{@code cdc_compaction_seconds}</td><td>summary</td><td>duration of compactions, by {@code outcome}</td></tr>
 * <tr><td>{@code cdc_compaction_written_bytes_total}</td><td>counter</td><td>size of the files that compactions have
 *     listed</td></tr>
 * <tr><td>{@code cdc_export_seconds}</td><td>summary</td><td>duration of initial exports, by {@code outcome}</td></tr>
 * <tr><td>{@code cdc_snapshot_age_seconds}</td><td>gauge</td><td>time since the oldest snapshot was opened that is open in
 *     PostgreSQL; 0 without one</td></tr>
 * <tr><td>{@code cdc_duckdb_memory_bytes}</td><td>summary</td><td>what a DuckDB holds while it works; {@code _max} is the
 *     most of the last minutes</td></tr>
 * <tr><td>{@code cdc_duckdb_spilled_bytes}</td><td>summary</td><td>what it has on disk beside that</td></tr>
 * </table>
 */
@Component
class CdcMetrics implements CdcListener {
    private static final Instant NEVER = Instant.MAX;
    private static final ManifestSize.Tier NO_FILES = new ManifestSize.Tier(0, 0);

    private final MeterRegistry registry;
    private final Clock clock;
    private final Map<String, AtomicLong> gauges = new ConcurrentHashMap<>();
    private final Map<Integer, Instant> oldestDirty = new ConcurrentHashMap<>();
    private final Map<Integer, Set<String>> tiers = new ConcurrentHashMap<>();
    private final Set<OpenSnapshot> snapshots = ConcurrentHashMap.newKeySet();

    @Autowired
    CdcMetrics(MeterRegistry registry) {
        this(registry, Clock.systemUTC());
    }

    CdcMetrics(MeterRegistry registry, Clock clock) {
        this.registry = registry;
        this.clock = clock;
        age("cdc.snapshot.age.seconds", Tags.empty(), () -> snapshots.stream().map(OpenSnapshot::openedAt));
    }

    @Override
    public void backlogRead(List<DirtySchema> backlog) {
        Map<Integer, DirtySchema> dirty = backlog.stream().collect(Collectors.toMap(DirtySchema::schemaId, d -> d));
        oldestDirty.keySet().stream().filter(id -> !dirty.containsKey(id)).forEach(id -> setBacklog(id, 0, NEVER));
        dirty.forEach((id, d) -> setBacklog(id, d.rows(), Instant.ofEpochMilli(d.oldestChangedAtMillis())));
    }

    @Override
    public void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
        Tags tags = tags(schemaId);
        FileContents contents = file.contents();
        count("cdc.flushed.rows", tags, contents.rowCount());
        count("cdc.flushed.bytes", tags, contents.sizeBytes());
        if (contents.versions() != null) {
            Instant oldest = Instant.ofEpochMilli(contents.versions().minMillis());
            registry.timer("cdc.flush.lag", tags).record(Duration.between(oldest, clock.instant()));
        }
    }

    @Override
    public void schemaFinished(FlushReport.SchemaFlush flush) {
        finished("flush", flush.schemaId(), flush.outcome(), flush.duration());
        countLossyCasts(flush.schemaId(), flush.lossyCasts());
        if (flush.outcome() == FlushReport.Outcome.FLUSHED) {
            long left = Math.max(0, flush.dirtyRows() - flush.markedRows());
            // What is left was changed since the flush began.
            Instant oldest = left == 0 ? NEVER : clock.instant().minus(flush.duration());
            setBacklog(flush.schemaId(), left, oldest);
        }
    }

    @Override
    public void compactionDue(int schemaId, int files, long bytes) {
        gauge("cdc.compaction.due.files", tags(schemaId)).set(files);
        gauge("cdc.compaction.due.bytes", tags(schemaId)).set(bytes);
    }

    @Override
    public void compactionFinished(CompactionReport.SchemaCompaction compaction) {
        int schemaId = compaction.schemaId();
        finished("compaction", schemaId, compaction.outcome(), compaction.duration());
        count("cdc.compaction.written.bytes", tags(schemaId), compaction.bytesWritten());
    }

    @Override
    public void exportFinished(BaseExportReport export) {
        finished("export", export.schemaId(), export.outcome(), export.duration());
        countLossyCasts(export.schemaId(), export.lossyCasts());
    }

    private void finished(String task, int schemaId, Enum<?> outcome, Duration duration) {
        String name = outcome.name().toLowerCase(Locale.ROOT);
        registry.timer("cdc." + task, tags(schemaId).and("outcome", name)).record(duration);
        count("cdc.commits.unknown", tags(schemaId).and("task", task), name.equals("unknown") ? 1 : 0);
    }

    private void countLossyCasts(int schemaId, Map<String, Long> byAttribute) {
        byAttribute.forEach(
                (attribute, values) -> count("cdc.lossy.casts", tags(schemaId).and("attribute", attribute), values));
    }

    @Override
    public void manifestSeen(ManifestSize size) {
        Tags tags = tags(size.schemaId());
        Set<String> known = tiers.computeIfAbsent(size.schemaId(), id -> ConcurrentHashMap.newKeySet());
        known.addAll(List.of("base", "delta"));
        known.addAll(size.tiers().keySet());
        known.forEach(name -> {
            ManifestSize.Tier tier = size.tiers().getOrDefault(name, NO_FILES);
            gauge("cdc.files", tags.and("tier", name)).set(tier.files());
            gauge("cdc.files.bytes", tags.and("tier", name)).set(tier.bytes());
        });
        gauge("cdc.files.retired", tags).set(size.retiredFiles());
        // There from the beginning, so that the first conflict is an increase.
        count("cdc.manifest.conflicts", tags, 0);
    }

    @Override
    public void manifestConflict(int schemaId) {
        count("cdc.manifest.conflicts", tags(schemaId), 1);
    }

    @Override
    public void snapshotOpened(OpenSnapshot snapshot) {
        snapshots.add(snapshot);
    }

    @Override
    public void snapshotClosed(OpenSnapshot snapshot) {
        snapshots.remove(snapshot);
    }

    @Override
    public void duckDbMemory(long bytes, long spilledBytes) {
        registry.summary("cdc.duckdb.memory.bytes").record((double) bytes);
        registry.summary("cdc.duckdb.spilled.bytes").record((double) spilledBytes);
    }

    /** Of all schemas. */
    Duration ageOfBacklog() {
        return age(oldestDirty.values().stream());
    }

    private Duration age(Stream<Instant> instants) {
        Instant now = clock.instant();
        return instants.map(then -> Duration.between(then, now))
                .filter(age -> !age.isNegative())
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    private void setBacklog(int schemaId, long rows, Instant oldest) {
        gauge("cdc.backlog.rows", tags(schemaId)).set(rows);
        if (oldestDirty.put(schemaId, oldest) == null) {
            age("cdc.backlog.age.seconds", tags(schemaId), () -> Stream.of(oldestDirty.get(schemaId)));
        }
    }

    private void age(String name, Tags tags, Supplier<Stream<Instant>> instants) {
        Gauge.builder(name, () -> age(instants.get()).toMillis() / 1e3)
                .tags(tags)
                .register(registry);
    }

    private void count(String name, Tags tags, long more) {
        registry.counter(name, tags).increment((double) more);
    }

    private AtomicLong gauge(String name, Tags tags) {
        return gauges.computeIfAbsent(name + tags, key -> {
            AtomicLong value = new AtomicLong();
            Gauge.builder(name, value, AtomicLong::doubleValue).tags(tags).register(registry);
            return value;
        });
    }

    private static Tags tags(int schemaId) {
        return Tags.of("schema", String.valueOf(schemaId));
    }
}
