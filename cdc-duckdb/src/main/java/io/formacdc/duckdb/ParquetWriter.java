package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.FileContents;
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
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

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
     * @param rows which to export
     * @param versions whether the versions of the rows are asked for
     * @param readersOfATable most connections that read the same table at once
     * @param threads of DuckDB that this may hold
     * @param progress told of rows read, on DuckDB's threads
     */
    record Export(
            int schemaId,
            InterruptWatch watch,
            TrackedConnections connections,
            PgSnapshot snapshot,
            ExportedRows rows,
            Projection projection,
            Versions versions,
            int readersOfATable,
            int threads,
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
        CopyEnd end = new CopyEnd();
        boolean readsScalars = projection.isMergedByReader();
        CopySource entities = source(
                export,
                EntityJoin.columns(projection, readsScalars),
                source -> new EntityReader(
                        source,
                        export.snapshot(),
                        export.rows(),
                        projection,
                        readsScalars,
                        export.versions() == Versions.KEPT ? new RowVersions.Collector() : null),
                export.progress(),
                end);
        CopySource eav = source(
                export,
                EavReader.columns(projection),
                source -> new EavReader(source, export.snapshot(), export.rows(), projection),
                rows -> {},
                end);
        Path file = session.folder().resolve(UuidV7.next() + ".parquet");
        try {
            return write(export, entities, eav, end, file);
        } catch (RuntimeException | Error e) {
            ParquetCopy.deleteAfter(e, file);
            throw e;
        }
    }

    private static CopySource source(
            Export export,
            List<DuckDBColumnType> columns,
            Function<CopySource, RangeReader> newReader,
            LongConsumer progress,
            CopyEnd end) {
        return new CopySource(
                export.rows().ranges(), columns, newReader, progress, export.readersOfATable(), export.threads(), end);
    }

    private ExportedFile write(Export export, CopySource entities, CopySource eav, CopyEnd end, Path file) {
        ExportSql sql = new ExportSql(export.schemaId(), export.projection(), config);
        long entityId = function.offer(entities);
        long eavId = function.offer(eav);
        Duration limit = config.queryTimeout();
        try (Connection connection = session.newConnection();
                Statement statement = connection.createStatement();
                InterruptWatch.Guard guard = export.watch().guard(limit, attempt -> end(export, end, attempt));
                ResultSet stats = statement.executeQuery(sql.copyTo(file, entityId, eavId))) {
            if (end.isReached()) {
                throw failure(guard, end.failure());
            }
            FileContents contents = ParquetCopy.read(stats, file.toString()).contents(sql.columns());
            Map<String, Long> lossyCasts = new HashMap<>(entities.lossyCasts());
            lossyCasts.putAll(eav.lossyCasts());
            return new ExportedFile(file, contents, entities.versions(), lossyCasts);
        } catch (SQLException e) {
            throw new CdcException("DuckDB failed: " + DuckStatements.firstLine(e), e);
        } finally {
            function.withdraw(entityId);
            function.withdraw(eavId);
        }
    }

    /**
     * Ends the statement as if there were no more rows: {@link CopyFunction} tells why it may not be cancelled. Readers
     * that wait for PostgreSQL are woken by the end of their queries.
     */
    private static void end(Export export, CopyEnd end, int attempt) {
        end.reached();
        export.connections().cancel(attempt);
    }

    private CdcException failure(InterruptWatch.Guard guard, @Nullable Throwable inSource) {
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
