package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Exports dirty rows of PostgreSQL through DuckDB. For the time of one pass, on one thread. DuckDB is not started before
 * there is something to export; the tables' columns are read once.
 */
final class PgExporter implements SnapshotExporter, AutoCloseable {
    /** Below so many rows a second reader costs more than it gives. */
    private static final int MIN_ROWS_OF_A_PIECE = 4096;

    private static final int PIECES = 8;

    private final CdcConfig config;
    private final TrackedConnections connections;
    private final PgSessions sessions;
    private final InterruptWatch watch;
    private @Nullable ParquetWriter writer;
    private @Nullable TableCatalog catalog;

    PgExporter(CdcConfig config, TrackedConnections connections, InterruptWatch watch) {
        this.config = config;
        this.connections = connections;
        this.sessions = new PgSessions(connections);
        this.watch = watch;
    }

    @Override
    public Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
        SchemaIds.check(schemaId);
        try {
            PgSnapshot snapshot = PgSnapshot.open(sessions);
            try {
                return new DirtyRows(schemaId, snapshot, Projection.of(catalog(snapshot), attributes));
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
            writer = ParquetWriter.open(config);
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

    /** The dirty rows of a schema at one instant. */
    private final class DirtyRows implements Snapshot {
        private final int schemaId;
        private final PgSnapshot snapshot;
        private final Projection projection;

        private DirtyRows(int schemaId, PgSnapshot snapshot, Projection projection) {
            this.schemaId = schemaId;
            this.snapshot = snapshot;
            this.projection = projection;
        }

        @Override
        public @Nullable UUID lastRowId() {
            String sql = "SELECT row_id FROM " + TableName.parse(config.changeLogTable())
                    + " WHERE schema_id = ? AND flushed_at = 0 ORDER BY row_id DESC LIMIT 1";
            try {
                Connection connection = snapshot.borrow();
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.setInt(1, schemaId);
                    try (ResultSet result = statement.executeQuery()) {
                        return result.next() ? result.getObject(1, UUID.class) : null;
                    }
                } finally {
                    snapshot.giveBack(connection);
                }
            } catch (SQLException e) {
                throw new DatabaseException("search for the last dirty row of schema " + schemaId, e);
            }
        }

        @Override
        public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
            int step = Math.max(MIN_ROWS_OF_A_PIECE, maxRows / PIECES);
            try {
                Connection connection = snapshot.borrow();
                Chunk chunk = selectChunk(connection, new RowIdInterval(afterRowId, upToRowId), maxRows, step);
                snapshot.giveBack(connection);
                return chunk;
            } catch (SQLException e) {
                throw new DatabaseException("selection of dirty rows of schema " + schemaId, e);
            }
        }

        private @Nullable Chunk selectChunk(Connection connection, RowIdInterval range, int maxRows, int step)
                throws SQLException {
            String sql = """
                    SELECT row_id, n FROM (
                      SELECT row_id, row_number() OVER (ORDER BY row_id) AS n, count(*) OVER () AS total FROM (
                        SELECT row_id FROM %s WHERE schema_id = ? AND flushed_at = 0%s ORDER BY row_id LIMIT ?) c) d
                     WHERE n %% ? = 0 OR n = total ORDER BY n""".formatted(TableName.parse(config.changeLogTable()), PgQueries.within(range, "row_id"));
            List<UUID> bounds = new ArrayList<>();
            long rows = 0;
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setInt(1, schemaId);
                statement.setInt(2, maxRows);
                statement.setInt(3, step);
                try (ResultSet result = statement.executeQuery()) {
                    while (result.next()) {
                        bounds.add(result.getObject(1, UUID.class));
                        rows = result.getLong(2);
                    }
                }
            }
            if (bounds.isEmpty()) {
                return null;
            }
            UUID last = bounds.remove(bounds.size() - 1);
            return new Chunk(range.after(), last, rows, bounds);
        }

        @Override
        public ExportedFile export(Chunk chunk, LongConsumer progress) {
            return writer().write(new ParquetWriter.Export(
                    schemaId,
                    watch,
                    connections,
                    snapshot,
                    PgQueries.ofDirtyRows(config, schemaId),
                    projection,
                    RowIdInterval.pieces(chunk.afterRowId(), chunk.lastRowId(), chunk.splits()),
                    new ThrottledProgress(progress)));
        }

        @Override
        public void close() {
            snapshot.close();
        }
    }
}
