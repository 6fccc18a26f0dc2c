package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.Jdbc.Binder;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The change log in PostgreSQL. Opens a connection for each call, and one for each lock while it is held; every one is
 * closed on every path. Sets autocommit itself, whatever the data source hands out. Thread-safe.
 *
 * <p>A log that keeps its flushed rows grows for ever, and {@link #dirtySchemas()} reads all of it, unless it has an
 * index such as {@code CREATE INDEX ON change_log (schema_id, row_id) INCLUDE (changed_at) WHERE flushed_at = 0}.
 */
public final class JdbcChangeLogStore implements ChangeLogStore {
    private final DataSource dataSource;
    private final String table;
    /** Shared by all stores over the same server. */
    private final AtomicBoolean hasRealSessions;

    /**
     * @param dataSource of the database that has the table, on real sessions (see {@link SchemaLock})
     * @param table {@code table} or {@code schema.table}; empty for {@code change_log}
     * @throws IllegalArgumentException if that is no table name
     */
    public JdbcChangeLogStore(DataSource dataSource, String table) {
        this(dataSource, table, new AtomicBoolean());
        ChangeLog.tableName(table);
    }

    private JdbcChangeLogStore(DataSource dataSource, String table, AtomicBoolean hasRealSessions) {
        this.dataSource = requireNonNull(dataSource, "dataSource");
        this.table = table;
        this.hasRealSessions = hasRealSessions;
    }

    /**
     * The same change log on other connections to the same place, such as counted or traced ones. Both remember what
     * either has found out about a pooler before the server.
     */
    public JdbcChangeLogStore over(DataSource connections) {
        return new JdbcChangeLogStore(connections, table, hasRealSessions);
    }

    /**
     * {@inheritDoc} A schema id outside 1..32767 is listed as it stands in the table, so that whoever goes on with it
     * is refused by {@link #tryLock}, and the others are not held up.
     */
    @Override
    public List<DirtySchema> dirtySchemas() {
        TableName log = ChangeLog.tableName(table);
        String sql = """
                SELECT d.schema_id, d.rows, d.oldest, quote_ident(current_user),
                  has_column_privilege(CAST(? AS text), 'flushed_at', 'UPDATE'),
                  row_security_active(CAST(? AS text)), current_setting('transaction_read_only') = 'on',
                  (SELECT relkind IN ('v', 'm') FROM pg_class WHERE oid = to_regclass(CAST(? AS text)))
                FROM (SELECT) always LEFT JOIN (
                  SELECT schema_id, count(*) AS rows, min(changed_at) AS oldest
                  FROM %s WHERE flushed_at = 0 GROUP BY schema_id) d ON true
                ORDER BY d.schema_id""".formatted(log);
        try (Connection connection = dataSource.getConnection();
                Jdbc.AutoCommit untilClosed = Jdbc.autoCommit(connection)) {
            Binder binder = statement -> {
                statement.setString(1, log.sql());
                statement.setString(2, log.sql());
                statement.setString(3, log.sql());
            };
            return Jdbc.query(connection, sql, binder, row -> dirtySchema(row, log)).stream()
                    .flatMap(Optional::stream)
                    .toList();
        } catch (SQLException e) {
            throw new DatabaseException("search for dirty schemas in " + log, e);
        }
    }

    /** Empty for the row that stands there if nothing is dirty. */
    private static Optional<DirtySchema> dirtySchema(ResultSet row, TableName log) throws SQLException {
        if (row.getBoolean(8)) {
            throw new CdcException(
                    log + " is a view; the change log must be a table, whose rows can be marked as flushed");
        }
        String role = row.getString(4);
        if (row.getBoolean(6)) {
            throw new CdcException("row-level security of " + log + " applies to role " + role
                    + ", so dirty rows may be hidden from it: ALTER ROLE " + role + " BYPASSRLS");
        }
        int schemaId = row.getInt(1);
        if (row.wasNull()) {
            return Optional.empty();
        }
        if (row.getBoolean(7)) {
            throw new CdcException(
                    "the database is read-only for this session (transaction_read_only is on), so nothing"
                            + " can be marked as flushed: connect to the primary server, as a role whose transactions may write");
        }
        if (!row.getBoolean(5)) {
            throw new CdcException("role " + role + " may not update flushed_at of " + log
                    + ", so it can mark nothing as flushed: GRANT UPDATE (flushed_at) ON " + log + " TO " + role);
        }
        return Optional.of(new DirtySchema(schemaId, row.getLong(2), row.getLong(3)));
    }

    /**
     * {@inheritDoc} The first lock costs a second connection for a moment, to see whether the lock stays where it is. A
     * pooler that comes between later is not noticed; what then keeps anything from being lost is the manifest's fence.
     *
     * @throws CdcException if the connections are those of a pooler in transaction mode
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    @Override
    public Optional<Locked> tryLock(int schemaId) {
        Optional<SchemaLock> lock = SchemaLock.tryAcquire(dataSource, schemaId);
        lock.ifPresent(this::requireRealSessions);
        return lock.map(held -> new LockedLog(held, schemaId));
    }

    private void requireRealSessions(SchemaLock lock) {
        if (hasRealSessions.get()) {
            return;
        }
        try {
            lock.requireSessionOfItsOwn(dataSource);
            hasRealSessions.set(true);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Deletes a schema's history, batch by batch, each in a transaction of its own; see {@link ChangeLog#purgeFlushed}.
     * Takes no lock but those of the rows it deletes. What a batch has deleted stays deleted, whatever fails later.
     *
     * @param flushedBeforeMillis exclusive upper bound of {@code flushed_at}, epoch milliseconds. Whoever asks must know
     *     that the files of these rows are listed and in their place
     * @param batchRows most rows of a transaction, at least 1
     * @return rows deleted
     * @throws CdcInterruptedException if the calling thread was interrupted; the message says how many rows are gone
     * @throws DatabaseException if a statement fails
     * @throws IllegalArgumentException for a schema id outside 1..32767, or a batch without rows
     */
    public long purgeFlushed(int schemaId, long flushedBeforeMillis, int batchRows) {
        long rows = 0;
        try (Connection connection = dataSource.getConnection();
                Jdbc.AutoCommit untilClosed = Jdbc.autoCommit(connection)) {
            Optional<ChangeLog.PurgedBatch> batch = Optional.empty();
            do {
                if (Thread.currentThread().isInterrupted()) {
                    throw interruptedPurge(schemaId, rows, null);
                }
                batch = ChangeLog.purgeFlushed(
                        connection, table, schemaId, flushedBeforeMillis, batchRows, batch.orElse(null));
                rows += batch.map(ChangeLog.PurgedBatch::rows).orElse(0L);
            } while (batch.isPresent());
            return rows;
        } catch (SQLException e) {
            throw new DatabaseException("connection for the purge of schema " + schemaId, e);
        } catch (DatabaseException e) {
            throw Thread.currentThread().isInterrupted() ? interruptedPurge(schemaId, rows, e) : e;
        }
    }

    private static CdcInterruptedException interruptedPurge(
            int schemaId, long rows, @Nullable DatabaseException cause) {
        String message =
                "interrupted during the purge of schema " + schemaId + ", after " + rows + " rows were deleted";
        return cause == null ? new CdcInterruptedException(message) : new CdcInterruptedException(message, cause);
    }

    private final class LockedLog implements Locked {
        private final SchemaLock lock;
        private final int schemaId;

        LockedLog(SchemaLock lock, int schemaId) {
            this.lock = lock;
            this.schemaId = schemaId;
        }

        @Override
        public ChangeLog.Stats stats() {
            return ChangeLog.getChangeLogStats(lock.connection(), table, schemaId);
        }

        @Override
        public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
            return ChangeLog.markFlushedVersions(lock.connection(), table, schemaId, versions, flushedAtMillis);
        }

        @Override
        public void close() {
            lock.close();
        }
    }
}
