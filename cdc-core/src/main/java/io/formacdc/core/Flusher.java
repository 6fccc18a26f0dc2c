package io.formacdc.core;

import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One pass over all schemas: which are due, and each due one flushed by a {@link SchemaPass}. Immutable; may run as
 * often as wanted, and at once with others, because each schema is locked and each append is fenced.
 */
public final class Flusher {
    private final CdcConfig config;
    private final Ports ports;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final Clock clock;

    /** What a pass acts on. */
    public record Ports(ChangeLogStore changeLog, SnapshotExporter exporter, ObjectStore store, FileLog fileLog) {}

    /**
     * @param config with defaults filled in, validated
     * @param registry null to export every hot column under its own name
     */
    public Flusher(
            CdcConfig config, Ports ports, @Nullable SchemaRegistry registry, CdcListener listener, Clock clock) {
        this.config = config;
        this.ports = ports;
        this.registry = registry;
        this.listener = CdcListener.quiet(listener);
        this.clock = clock;
    }

    /**
     * Flushes every schema that is due. A schema that fails does not keep the others from being flushed. An object that
     * was put is deleted again, as far as that works, if its file is known not to be listed.
     *
     * @param dryRun write nothing and take no lock: load the manifests, hold the attributes against the tables, count rows
     *     and files, and read no values
     * @throws SchemaFlushException at the end, if a schema failed; it carries the report
     * @throws CdcInterruptedException if the calling thread was interrupted; later schemas were not begun; it carries the
     *     report
     * @throws DatabaseException if the change log cannot be read at all
     */
    public FlushReport run(boolean dryRun) {
        long begin = System.nanoTime();
        if (Thread.currentThread().isInterrupted()) {
            throw new CdcInterruptedException(
                    CdcInterruptedException.beforeIt("the pass"), null, report(dryRun, List.of(), begin));
        }
        List<SchemaFlush> flushes = new ArrayList<>();
        List<DirtySchema> backlog = dirtySchemas(dryRun, begin);
        listener.backlogRead(backlog);
        for (DirtySchema dirty : backlog) {
            SchemaPass pass = new SchemaPass(dirty, config, ports, registry, listener, clock);
            SchemaFlush flush = dryRun ? pass.plan() : pass.flush();
            flushes.add(flush);
            listener.schemaFinished(flush);
            if (Thread.currentThread().isInterrupted()) {
                throw interruption(report(dryRun, flushes, begin));
            }
        }
        FlushReport report = report(dryRun, flushes, begin);
        List<SchemaFlush> failed = flushes.stream()
                .filter(f -> f.outcome() == Outcome.FAILED || f.outcome() == Outcome.UNKNOWN)
                .toList();
        if (!failed.isEmpty()) {
            throw failure(failed, report);
        }
        return report;
    }

    private static FlushReport report(boolean dryRun, List<SchemaFlush> flushes, long beginNanos) {
        return new FlushReport(dryRun, flushes, Duration.ofNanos(System.nanoTime() - beginNanos));
    }

    private List<DirtySchema> dirtySchemas(boolean dryRun, long beginNanos) {
        try {
            return ports.changeLog().dirtySchemas();
        } catch (DatabaseException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CdcInterruptedException(
                        "interrupted before the first schema: " + e.getMessage(),
                        e,
                        report(dryRun, List.of(), beginNanos));
            }
            throw e;
        }
    }

    /** Of the schema at which the thread was interrupted, with the failures of earlier ones suppressed in it. */
    private static CdcInterruptedException interruption(FlushReport report) {
        SchemaFlush last = report.schemas().get(report.schemas().size() - 1);
        CdcException error = last.error();
        CdcInterruptedException exception = error instanceof CdcInterruptedException
                ? new CdcInterruptedException(String.valueOf(error.getMessage()), error, report)
                : new CdcInterruptedException("interrupted after schema " + last.schemaId(), null, report);
        report.schemas().stream().map(SchemaFlush::error).forEach(e -> {
            if (e != null && e != exception.getCause()) {
                exception.addSuppressed(e);
            }
        });
        return exception;
    }

    private static SchemaFlushException failure(List<SchemaFlush> failed, FlushReport report) {
        String each = failed.stream()
                .map(SchemaFlush::error)
                .map(e -> e == null ? "" : String.valueOf(e.getMessage()))
                .collect(Collectors.joining("; "));
        SchemaFlushException exception = new SchemaFlushException(
                failed.size() == 1
                        ? each
                        : failed.size() + " of " + report.schemas().size() + " schemas failed: " + each,
                report);
        failed.stream().map(SchemaFlush::error).forEach(e -> {
            if (e != null) {
                exception.addSuppressed(e);
            }
        });
        return exception;
    }
}
