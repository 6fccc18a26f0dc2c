package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
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
    private static final List<String> OTHER_WAYS =
            List.of("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin");

    private final DataSource dataSource;
    private final String table;

    /**
     * @param dataSource of the database that has the table, on real sessions (see {@link SchemaLock})
     * @param table {@code table} or {@code schema.table}; empty for {@code change_log}
     * @throws IllegalArgumentException if that is no table name
     */
    public JdbcChangeLogStore(DataSource dataSource, String table) {
        this.dataSource = requireNonNull(dataSource, "dataSource");
        this.table = table;
        ChangeLog.tableName(table);
    }

    /**
     * {@inheritDoc} A schema id outside 1..32767 is listed as it stands in the table, so that whoever goes on with it
     * is refused by {@link #tryLock}, and the others are not held up.
     */
    @Override
    public List<DirtySchema> dirtySchemas() {
        String sql = """
                SELECT schema_id, count(*), min(changed_at) FROM %s WHERE flushed_at = 0
                GROUP BY schema_id ORDER BY schema_id""".formatted(ChangeLog.tableName(table));
        try (Connection connection = dataSource.getConnection();
                Jdbc.AutoCommit untilClosed = Jdbc.autoCommit(connection)) {
            return Jdbc.query(
                    connection,
                    sql,
                    statement -> {},
                    row -> new DirtySchema(row.getInt(1), row.getLong(2), row.getLong(3)));
        } catch (SQLException e) {
            throw new DatabaseException("search for dirty schemas", e);
        }
    }

    /** @throws IllegalArgumentException for a schema id outside 1..32767 */
    @Override
    public Optional<Locked> tryLock(int schemaId) {
        return SchemaLock.tryAcquire(dataSource, schemaId).map(lock -> new LockedLog(lock, schemaId));
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
        private boolean marksByKey;

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
            if (!marksByKey) {
                plan("SET %s = off");
                marksByKey = true;
            }
            return ChangeLog.markFlushedVersions(lock.connection(), table, schemaId, versions, flushedAtMillis);
        }

        /**
         * Has the server find the rows of a mark by their keys. By itself it prefers to read the whole log, once for each
         * file of a pass, as soon as a file's rows are a few percent of it.
         */
        private void plan(String setting) {
            try (Statement statement = lock.connection().createStatement()) {
                statement.execute(OTHER_WAYS.stream().map(setting::formatted).collect(Collectors.joining("; ")));
            } catch (SQLException e) {
                throw new DatabaseException("mark of flushed rows of schema " + schemaId, e);
            }
        }

        @Override
        public void close() {
            if (marksByKey) {
                try {
                    plan("RESET %s");
                } catch (DatabaseException e) {
                    lock.discard(e);
                }
            }
            lock.close();
        }
    }
}
