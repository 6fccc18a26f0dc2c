package io.formacdc.manifest;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.Merger;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaCompactionException;
import io.formacdc.core.SchemaIds;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the base tier of schemas in shape: files of about the target size, side by side in row-id order, with one version
 * of each row and no tombstones, and the few rows that changed since in a delta. What it rewrites follows what has
 * changed, not what is there.
 *
 * <p>Takes no lock, and stops no flush: files that are flushed meanwhile stay listed. Thread-safe; any number may run at
 * once, and of two that compact one schema one comes first and the other gives up. Objects taken off the list stay in
 * their place, for readers that resolved their list earlier, until a {@link Sweeper} deletes them.
 */
public final class Compactor {
    private static final Logger LOG = LoggerFactory.getLogger(Compactor.class);

    private final CdcConfig config;
    private final CompactionConfig compaction;
    private final Ports ports;
    private final CdcListener listener;
    private final Clock clock;
    /** By schema, the manifest in which there was nothing to do; deltas need not be read again to find that. */
    private final Map<Integer, String> etagsInShape = new ConcurrentHashMap<>();

    /** What a compaction acts on. */
    public record Ports(ObjectStore store, ManifestStore manifests, Merger merger) {
        public Ports {
            requireNonNull(store, "store");
            requireNonNull(manifests, "manifests");
            requireNonNull(merger, "merger");
        }
    }

    /**
     * @param config with defaults filled in, validated
     * @param compaction the same
     */
    public Compactor(CdcConfig config, CompactionConfig compaction, Ports ports, CdcListener listener, Clock clock) {
        this.config = requireNonNull(config, "config");
        this.compaction = requireNonNull(compaction, "compaction");
        this.ports = requireNonNull(ports, "ports");
        this.listener = CdcListener.quiet(requireNonNull(listener, "listener"));
        this.clock = requireNonNull(clock, "clock");
    }

    Duration runInterval() {
        return compaction.runInterval();
    }

    /**
     * What a run would do with a schema now, and why. Reads the manifest and the deltas; writes nothing.
     *
     * @throws CdcException if one of them cannot be read, or is not what the manifest says
     */
    public CompactionPlan plan(int schemaId) {
        return compaction(SchemaIds.check(schemaId)).plan();
    }

    /**
     * Compacts the schemas that the configuration names: one, or all that have a manifest. A schema that fails does not
     * keep the others from being compacted.
     *
     * @throws SchemaCompactionException at the end, if a schema failed; it carries the report
     * @throws CdcInterruptedException if the calling thread was interrupted; nothing is listed of the schema under way,
     *     later ones were not begun
     */
    public CompactionReport runOnce() {
        CdcInterruptedException.requireNotInterrupted("the compaction");
        if (compaction.schemaId() != 0) {
            return runOnce(List.of(compaction.schemaId()));
        }
        List<Integer> schemaIds = ports.manifests().schemaIds();
        if (schemaIds.isEmpty()) {
            LOG.warn("nothing to compact: {}", ports.manifests().absence());
        }
        return runOnce(schemaIds);
    }

    /** Compacts these schemas; see {@link #runOnce()}. */
    public CompactionReport runOnce(List<Integer> schemaIds) {
        requireNonNull(schemaIds, "schemaIds").forEach(SchemaIds::check);
        CdcInterruptedException.requireNotInterrupted("the compaction");
        long begin = System.nanoTime();
        List<CompactionReport.SchemaCompaction> done = new ArrayList<>();
        for (int schemaId : schemaIds) {
            CompactionReport.SchemaCompaction result = compaction(schemaId).run();
            done.add(result);
            listener.compactionFinished(result);
            if (Thread.currentThread().isInterrupted()) {
                throw new CdcInterruptedException("interrupted during the compaction of schema " + schemaId
                        + (result.error() == null ? "" : ": " + result.error().getMessage()));
            }
        }
        CompactionReport report = new CompactionReport(done, Duration.ofNanos(System.nanoTime() - begin));
        List<CdcException> errors = done.stream()
                .filter(s -> s.outcome() == Outcome.FAILED || s.outcome() == Outcome.UNKNOWN)
                .flatMap(s -> Stream.ofNullable(s.error()))
                .toList();
        if (!errors.isEmpty()) {
            throw failure(errors, report);
        }
        return report;
    }

    private SchemaCompaction compaction(int schemaId) {
        return new SchemaCompaction(schemaId, config, compaction, ports, listener, clock, etagsInShape);
    }

    private static SchemaCompactionException failure(List<CdcException> errors, CompactionReport report) {
        String each = errors.stream().map(CdcException::getMessage).collect(Collectors.joining("; "));
        int schemas = report.schemas().size();
        SchemaCompactionException exception = new SchemaCompactionException(
                errors.size() == 1 ? each : errors.size() + " of " + schemas + " schemas failed: " + each, report);
        errors.forEach(exception::addSuppressed);
        return exception;
    }
}
