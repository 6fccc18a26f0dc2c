package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.LiveExporter;
import io.formacdc.core.OpenSnapshot;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.TableName;
import io.formacdc.duckdb.ParquetWriter.Versions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Exports rows of PostgreSQL through DuckDB. For the time of one pass or export, by one thread at a time, if not said
 * otherwise; an interrupt of the thread that opened a snapshot ends what is read through it. DuckDB is not started before
 * there is something to export; the tables' columns are read once.
 */
final class PgExporter implements SnapshotExporter, LiveExporter, AutoCloseable {
    /** Below so many rows a second reader costs more than it gives. */
    private static final int MIN_ROWS_OF_A_PIECE = 4096;

    /** The keys of a piece are held in memory. */
    private static final int MAX_ROWS_OF_A_PIECE = 32_768;

    /** For several threads to share, though some pieces take longer. One thread loses time at each border. */
    private static final int PIECES = 8;

    /**
     * Dirty rows that keep one more thread busy. With fewer, threads wait for one another more than they read, and those
     * of DuckDB use a processor while they do; and an export of so many is ready before the chunk before it is put,
     * listed and marked.
     */
    private static final int ROWS_OF_A_THREAD = 10_000;

    private final CdcConfig config;
    private final CdcConfig ofDirtyRows;
    /** Those of exports alone: what ends an export leaves the session of the lock be. */
    private final TrackedConnections connections;

    private final PgSessions sessions;
    private final InterruptWatch watch;
    private final CdcListener listener;
    private @Nullable ParquetWriter writer;
    private @Nullable TableCatalog catalog;

    PgExporter(CdcConfig config, TrackedConnections connections, InterruptWatch watch) {
        this(config, connections, watch, CdcListener.NONE);
    }

    /** @param listener told of snapshots and of DuckDB's memory; must not throw */
    PgExporter(CdcConfig config, TrackedConnections connections, InterruptWatch watch, CdcListener listener) {
        this.config = config;
        this.ofDirtyRows = config.toBuilder()
                .duckThreads(Math.min(config.duckThreads(), Math.max(1, config.batchSize() / ROWS_OF_A_THREAD)))
                .build();
        this.connections = connections.ofExports();
        this.sessions = new PgSessions(this.connections);
        this.watch = watch;
        this.listener = listener;
    }

    @Override
    public DirtyRows openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
        Watching watching = Watching.by(watch, connections);
        try {
            return open(
                    schemaId,
                    attributes,
                    (snapshot, projection) -> new DirtyRows(schemaId, snapshot, projection, watching));
        } catch (RuntimeException e) {
            watching.close();
            throw e;
        }
    }

    /** DuckDB's memory is shared by the files exported at once; each of them has {@code duckThreads}. */
    @Override
    public LiveSnapshot openLiveSnapshot(int schemaId, @Nullable SchemaAttributes attributes, int filesAtOnce) {
        int threads = Math.min(CdcConfig.MAX_THREADS, Math.multiplyExact(config.duckThreads(), filesAtOnce));
        CdcConfig ofAll = config.toBuilder().duckThreads(threads).build();
        return open(schemaId, attributes, (snapshot, projection) -> {
            ParquetWriter ownWriter = ParquetWriter.open(ofAll, listener);
            return new LiveRows(schemaId, snapshot, projection, ownWriter, connections.readersOfATable(filesAtOnce));
        });
    }

    private interface Opening<S> {
        S of(PgSnapshot snapshot, Projection projection);
    }

    private <S> S open(int schemaId, @Nullable SchemaAttributes attributes, Opening<S> opening) {
        SchemaIds.check(schemaId);
        try {
            PgSnapshot snapshot = PgSnapshot.open(sessions);
            try {
                return opening.of(snapshot, Projection.of(catalog(snapshot), attributes));
            } catch (SQLException | RuntimeException e) {
                snapshot.close();
                throw e;
            }
        } catch (SQLException e) {
            throw new DatabaseException("snapshot of schema " + schemaId, e);
        }
    }

    private TableCatalog catalog(PgSnapshot snapshot) throws SQLException {
        if (catalog == null) {
            Connection connection = snapshot.borrow();
            catalog = TableCatalog.read(
                    connection,
                    TableName.parse(config.changeLogTable()),
                    TableName.parse(config.entityMainTable()),
                    TableName.parse(config.eavDataTable()));
            snapshot.giveBack(connection);
        }
        return catalog;
    }

    private ParquetWriter writer() {
        if (writer == null) {
            writer = ParquetWriter.open(ofDirtyRows, listener);
        }
        return writer;
    }

    @Override
    public void close() {
        sessions.close();
        if (writer != null) {
            writer.close();
        }
    }

    /** Rows of a schema at one instant. */
    abstract class Rows implements Snapshot {
        final int schemaId;
        final PgSnapshot snapshot;
        final Projection projection;
        final PgQueries queries;
        final int threads;
        private final String kind;
        private @Nullable OpenSnapshot told;

        /** @param threads that export a chunk */
        private Rows(
                int schemaId, PgSnapshot snapshot, Projection projection, PgQueries queries, int threads, String kind) {
            this.schemaId = schemaId;
            this.snapshot = snapshot;
            this.projection = projection;
            this.queries = queries;
            this.threads = threads;
            this.kind = kind;
            this.told = new OpenSnapshot(schemaId, Instant.now());
            listener.snapshotOpened(told);
        }

        interface Reader<T> {
            T read(ResultSet result) throws SQLException;
        }

        <T> T query(String what, String sql, Reader<T> reader) {
            try {
                Connection connection = snapshot.borrow();
                T read;
                try (Statement statement = connection.createStatement();
                        ResultSet result = statement.executeQuery(sql)) {
                    read = reader.read(result);
                }
                snapshot.giveBack(connection);
                return read;
            } catch (SQLException e) {
                throw new DatabaseException(what + " of schema " + schemaId, e);
            }
        }

        @Override
        public @Nullable UUID lastRowId() {
            List<UUID> last = query(
                    "search for the last " + kind + " row",
                    queries.lastRowId(),
                    result -> result.next() ? List.of(result.getObject(1, UUID.class)) : List.of());
            return last.isEmpty() ? null : last.get(0);
        }

        @Override
        public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
            int pieces = threads == 1 ? 1 : PIECES;
            int step = Math.min(MAX_ROWS_OF_A_PIECE, Math.max(MIN_ROWS_OF_A_PIECE, maxRows / pieces));
            String sql = queries.bounds(new RowIdInterval(afterRowId, upToRowId), maxRows, step);
            List<Chunk> chunk = query("selection of " + kind + " rows", sql, result -> {
                List<UUID> bounds = new ArrayList<>();
                long rows = 0;
                while (result.next()) {
                    bounds.add(result.getObject(1, UUID.class));
                    rows = result.getLong(2);
                }
                if (bounds.isEmpty()) {
                    return List.of();
                }
                UUID last = bounds.remove(bounds.size() - 1);
                return List.of(new Chunk(afterRowId, last, rows, bounds));
            });
            return chunk.isEmpty() ? null : chunk.get(0);
        }

        final ExportedFile write(
                ParquetWriter to,
                InterruptWatch watching,
                Chunk chunk,
                Versions versions,
                int readersOfATable,
                LongConsumer progress) {
            return to.write(new ParquetWriter.Export(
                    schemaId,
                    watching,
                    connections,
                    snapshot,
                    new ExportedRows(
                            queries,
                            null,
                            RowIdInterval.pieces(chunk.afterRowId(), chunk.lastRowId(), chunk.splits()),
                            chunk.rowCount()),
                    projection,
                    versions,
                    readersOfATable,
                    threads,
                    new ThrottledProgress(progress)));
        }

        @Override
        public void close() {
            snapshot.close();
            if (told != null) {
                listener.snapshotClosed(told);
                told = null;
            }
        }
    }

    /**
     * Has an interrupt of the calling thread end its statements: by the watch of the pass, or by one of its own.
     *
     * @param own null if the watch is that of the pass
     */
    private record Watching(InterruptWatch watch, InterruptWatch.@Nullable Guard own) implements AutoCloseable {
        static Watching by(InterruptWatch ofThePass, TrackedConnections connections) {
            if (ofThePass.watchesThisThread()) {
                return new Watching(ofThePass, null);
            }
            InterruptWatch watch = InterruptWatch.open();
            return new Watching(watch, watch.guard(null, connections::cancel));
        }

        @Override
        public void close() {
            if (own != null) {
                own.close();
                watch.close();
            }
        }
    }

    /** The dirty rows of a schema. */
    final class DirtyRows extends Rows {
        private final Watching watching;

        private DirtyRows(int schemaId, PgSnapshot snapshot, Projection projection, Watching watching) {
            super(
                    schemaId,
                    snapshot,
                    projection,
                    PgQueries.ofDirtyRows(config, schemaId),
                    ofDirtyRows.duckThreads(),
                    "dirty");
            this.watching = watching;
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            ExportedFile file =
                    write(writer(), watch(), chunk, Versions.KEPT, connections.readersOfATable(1), progress);
            if (file.contents().rowCount() != chunk.rowCount()) {
                file.close();
                throw new CdcException("the file holds " + file.contents().rowCount() + " rows, and " + chunk.rowCount()
                        + " were selected");
            }
            return file;
        }

        /** Of the thread that opened this. */
        InterruptWatch watch() {
            return watching.watch();
        }

        @Override
        public void close() {
            super.close();
            watching.close();
        }
    }

    /** The live rows of a schema. Thread-safe. */
    private final class LiveRows extends Rows implements LiveSnapshot {
        private final ParquetWriter ownWriter;
        private final int readersOfATable;
        /** No more files, or queries, at once than there are connections for. */
        private final Semaphore shares;

        private LiveRows(
                int schemaId,
                PgSnapshot snapshot,
                Projection projection,
                ParquetWriter ownWriter,
                int readersOfATable) {
            super(
                    schemaId,
                    snapshot,
                    projection,
                    PgQueries.ofLiveEntities(config, schemaId),
                    config.duckThreads(),
                    "live");
            this.ownWriter = ownWriter;
            this.readersOfATable = readersOfATable;
            this.shares = new Semaphore(connections.filesAtOnce(readersOfATable));
        }

        private <T> T withItsShare(Supplier<T> work) {
            try {
                shares.acquire();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CdcInterruptedException("interrupted while waiting for a connection to PostgreSQL", e);
            }
            try {
                return work.get();
            } finally {
                shares.release();
            }
        }

        @Override
        <T> T query(String what, String sql, Reader<T> reader) {
            return withItsShare(() -> super.query(what, sql, reader));
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            // The calling thread is perhaps not the one that the exporter watches.
            try (InterruptWatch ownWatch = InterruptWatch.open()) {
                return withItsShare(
                        () -> write(ownWriter, ownWatch, chunk, Versions.NOT_KEPT, readersOfATable, progress));
            }
        }

        @Override
        public RowsDigest digest(RowIdInterval interval) {
            return query("count of live rows", queries.digest(interval), result -> {
                result.next();
                return new RowsDigest(
                        result.getLong(1),
                        result.getBigDecimal(2).toBigInteger().longValue(),
                        result.getBigDecimal(3).toBigInteger().longValue());
            });
        }

        @Override
        public void close() {
            super.close();
            ownWriter.close();
        }
    }
}
