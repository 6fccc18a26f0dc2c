package io.formacdc.manifest;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLogStore;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import io.formacdc.core.LiveExporter;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SchemaLockedException;
import io.formacdc.core.SchemaRegistry;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * Exports all live rows of a schema, read at one instant, as base files of about {@code targetFileSizeMb} side by side in
 * row-id order, and lists them in one save in the place of what was listed. Immutable, thread-safe; an export holds the
 * schema's lock, and is fenced like a flush.
 *
 * <p>The change log is neither read nor changed. Rows that are dirty stay so, and the next flush lists the same versions
 * once more, which readers see once; an operator who knows that all writers were at rest may mark them flushed himself.
 *
 * <p>An export that failed, or whose process died, is started again by the same call. Files that it had finished wait
 * under {@code {prefix}/{schemaId}/_tmp/}, with a record of what is in them in {@code export.json} beside them. The next
 * export takes its own snapshot, and uses such a file only if, by a digest, the very row versions are live in its interval
 * that were when it was written; since no two contents of a row have one version, it is then what the new snapshot would
 * export. What nobody comes back for is deleted by a {@link Sweeper}, after its {@code stagedGrace}, which is therefore
 * the longest time that an export may take.
 */
public final class BaseExport {
    private final CdcConfig config;
    private final Ports ports;
    private final @Nullable SchemaRegistry registry;
    private final CdcListener listener;
    private final Clock clock;

    /** What an export acts on. */
    public record Ports(ChangeLogStore changeLog, LiveExporter exporter, ObjectStore store, ManifestStore manifests) {}

    /**
     * @param config with defaults filled in, validated
     * @param registry null to export every hot column under its own name
     */
    public BaseExport(
            CdcConfig config, Ports ports, @Nullable SchemaRegistry registry, CdcListener listener, Clock clock) {
        this.config = config;
        this.ports = ports;
        this.registry = registry;
        this.listener = CdcListener.quiet(listener);
        this.clock = clock;
    }

    /**
     * Exports a schema.
     *
     * @throws SchemaLockedException if a flush or an export of the schema is under way elsewhere
     * @throws ExportRefusedException if deltas are listed and may not be replaced, or files of unknown tiers; nothing was
     *     read from the tables
     * @throws FencedException if a flush has listed files meanwhile; nothing was listed, and the next export finds most
     *     of the work done
     * @throws CommitStateUnknownException if the new base may or may not be listed; no object was deleted
     * @throws CdcInterruptedException if the calling thread was interrupted; nothing was listed
     * @throws CdcException if anything else failed, naming the step; nothing was listed
     * @throws IllegalArgumentException for a schema id outside 1..32767; the listener is told nothing
     */
    public BaseExportReport run(int schemaId, BaseExportOptions options) {
        return done(export(schemaId, options).run());
    }

    /**
     * What an export would do now, with the same refusals, but for the lock, which is not asked for. Reads the manifest,
     * counts the live rows, and exports the first ten thousand to a local file, to see how large they are; writes nothing
     * else anywhere.
     *
     * @throws ExportRefusedException as {@link #run}
     * @throws CdcException if something cannot be read
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public BaseExportReport plan(int schemaId, BaseExportOptions options) {
        return done(export(schemaId, options).plan());
    }

    private SchemaExport export(int schemaId, BaseExportOptions options) {
        SchemaIds.check(schemaId);
        CdcInterruptedException.requireNotInterrupted("the export of schema " + schemaId);
        return new SchemaExport(schemaId, config, options, ports, registry, listener, clock);
    }

    private BaseExportReport done(BaseExportReport report) {
        listener.exportFinished(report);
        if (report.error() != null) {
            throw report.error();
        }
        return report;
    }
}
