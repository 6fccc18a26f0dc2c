package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.FileContents;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.UuidV7;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * Streams rows of a PostgreSQL snapshot through DuckDB into Parquet files in the session's private folder. Thread-safe:
 * several files may be written at once, and share the session's threads and memory. Closing it deletes every file that it
 * wrote.
 */
final class ParquetWriter implements AutoCloseable {
    private final CdcConfig config;
    private final DuckSession session;
    private final CopyFunction function;

    private ParquetWriter(CdcConfig config, DuckSession session, CopyFunction function) {
        this.config = config;
        this.session = session;
        this.function = function;
    }

    static ParquetWriter open(CdcConfig config) {
        return open(config, CdcListener.NONE);
    }

    static ParquetWriter open(CdcConfig config, CdcListener listener) {
        DuckSession session = DuckSession.open(config, listener);
        try {
            return new ParquetWriter(config, session, CopyFunction.register(session.connection()));
        } catch (SQLException e) {
            session.close();
            throw new CdcException("DuckDB could not take the PostgreSQL reader: " + e.getMessage(), e);
        }
    }

    /**
     * What to write.
     *
     * @param watch of the calling thread; cancels the export when that is interrupted
     * @param connections those that the snapshot reads on
     * @param ranges pieces that are read side by side
     * @param versions whether the versions of the rows are asked for
     * @param progress told of rows read, on DuckDB's threads
     */
    record Export(
            int schemaId,
            InterruptWatch watch,
            TrackedConnections connections,
            PgSnapshot snapshot,
            PgQueries queries,
            Projection projection,
            List<RowIdInterval> ranges,
            Versions versions,
            LongConsumer progress) {}

    /** What to remember of rows that stream by. */
    enum Versions {
        KEPT,
        NOT_KEPT
    }

    /** Writes one file. On failure none is left. */
    ExportedFile write(Export export) {
        if (Thread.currentThread().isInterrupted()) {
            // A small export would be done before the watch looks.
            throw new CdcInterruptedException("interrupted before the export");
        }
        Projection projection = export.projection();
        List<CopySource> sources = projection.isWide() ? List.of(wide(export)) : List.of(entities(export), eav(export));
        Path file = session.folder().resolve(UuidV7.next() + ".parquet");
        try {
            return write(export, sources, file);
        } catch (RuntimeException | Error e) {
            ParquetCopy.deleteAfter(e, file);
            throw e;
        }
    }

    private static CopySource wide(Export export) {
        Projection projection = export.projection();
        return new CopySource(
                export.snapshot(),
                (connection, range) -> {
                    PgQueries queries = export.queries().fitting(connection, range);
                    return List.of(queries.entities(projection, range), queries.eav(range));
                },
                export.ranges(),
                WideTuples.columns(projection),
                source -> new WideTuples(entityTuples(export, source), projection, source),
                export.progress());
    }

    private static CopySource entities(Export export) {
        Projection projection = export.projection();
        return new CopySource(
                export.snapshot(),
                (connection, range) ->
                        List.of(export.queries().fitting(connection, range).entities(projection, range)),
                export.ranges(),
                EntityTuples.columns(projection.hot()),
                source -> entityTuples(export, source),
                export.progress());
    }

    private static CopySource eav(Export export) {
        Projection projection = export.projection();
        return new CopySource(
                export.snapshot(),
                (connection, range) ->
                        List.of(export.queries().fitting(connection, range).eav(range)),
                export.ranges(),
                EavTuples.columns(projection),
                source -> new EavTuples(projection, source),
                rows -> {});
    }

    private static EntityTuples entityTuples(Export export, CopySource source) {
        return new EntityTuples(
                export.projection().hot(),
                source,
                export.versions() == Versions.KEPT ? new RowVersions.Collector() : null);
    }

    private ExportedFile write(Export export, List<CopySource> sources, Path file) {
        ExportSql sql = new ExportSql(export.schemaId(), export.projection(), config);
        List<Long> ids = sources.stream().map(function::offer).toList();
        String copy = ids.size() == 1 ? sql.copyTo(file, ids.get(0)) : sql.copyTo(file, ids.get(0), ids.get(1));
        Duration limit = config.queryTimeout();
        try (Connection connection = session.newConnection();
                Statement statement = connection.createStatement();
                InterruptWatch.Guard guard = export.watch().guard(limit, attempt -> end(export, sources, attempt));
                ResultSet stats = statement.executeQuery(copy)) {
            if (sources.stream().anyMatch(CopySource::hasEnded)) {
                throw failure(guard, sources);
            }
            FileContents contents = ParquetCopy.read(stats, file.toString()).contents(sql.columns());
            Map<String, Long> lossyCasts = new HashMap<>();
            sources.forEach(source -> lossyCasts.putAll(source.lossyCasts()));
            return new ExportedFile(file, contents, sources.get(0).versions(), lossyCasts);
        } catch (SQLException e) {
            throw new CdcException("DuckDB failed: " + DuckStatements.firstLine(e), e);
        } finally {
            ids.forEach(function::withdraw);
        }
    }

    /**
     * Ends the statement as if there were no more rows: {@link CopyFunction} tells why it may not be cancelled. Readers
     * that wait for PostgreSQL are woken by the end of their queries.
     */
    private static void end(Export export, List<CopySource> sources, int attempt) {
        sources.forEach(CopySource::end);
        export.connections().cancel(attempt);
    }

    private CdcException failure(InterruptWatch.Guard guard, List<CopySource> sources) {
        Throwable inSource = sources.stream()
                .map(CopySource::failure)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        if (Thread.currentThread().isInterrupted()) {
            return inSource == null
                    ? new CdcInterruptedException("interrupted during the export")
                    : new CdcInterruptedException("interrupted during the export", inSource);
        }
        if (guard.timedOut()) {
            return new CdcException("the export took longer than queryTimeout " + config.queryTimeout());
        }
        if (inSource instanceof SQLException inPostgres) {
            return new DatabaseException("reading from PostgreSQL", inPostgres);
        }
        Throwable cause = Objects.requireNonNull(inSource, "the reading ended for no reason");
        return new CdcException("decoding rows of PostgreSQL failed: " + cause, cause);
    }

    @Override
    public void close() {
        session.close();
    }
}
