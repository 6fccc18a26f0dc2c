package io.formacdc.core;

import io.formacdc.core.Jdbc.Binder;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Go's change-log helpers, on a connection whose transaction is the caller's business.
 *
 * <p>The name of the table is {@code table} or {@code schema.table}, as {@link TableName#parse} reads it; empty stands
 * for {@code change_log}. A schema id outside 1..32767 is refused with an {@link IllegalArgumentException} before any
 * SQL. What PostgreSQL refuses is a {@link DatabaseException}; nothing was changed then, unless a method says otherwise,
 * and a transaction of the caller is left to be rolled back.
 *
 * <p>Marks are made for PostgreSQL's default isolation, READ COMMITTED. {@link #markFlushedVersions} passes over a row
 * that a writer holds. {@link #markFlushed} and {@link #markFlushedIdsAtSnapshot} wait for him, as in Go, and leave the
 * row dirty if its new version is beyond the snapshot; with a writer of several rows they can deadlock, and PostgreSQL
 * chooses which of the two fails. No row that does not fit is an error; what was not marked stays dirty. Where a row of
 * the call was marked with the same millisecond before, rows are recorded one millisecond after their last mark instead,
 * if that is later.
 */
public final class ChangeLog {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    /** Later than any mark that the row has had. */
    private static final String AFTER_EARLIER_MARKS = """
            greatest(%d, 1 + (SELECT max(h.flushed_at) FROM %s h
                              WHERE h.schema_id = c.schema_id AND h.row_id = c.row_id))""";

    /**
     * The exported versions as a relation v. The planner sees no constant behind OFFSET 0, and no length of an array in
     * a subquery: it expects a few keys, and looks each up. Knowing more, it would scan the whole log for every chunk of
     * a flush, or, by statistics from a moment when nothing was dirty, for every key.
     */
    private static final String EXPORTED = """
            (SELECT CAST(? AS smallint) AS schema_id, 0::bigint AS flushed_at, row_id, changed_at, xmin
             FROM unnest((SELECT convert_from(?, 'SQL_ASCII')::uuid[]), (SELECT CAST(? AS bigint[])),
                         (SELECT CAST(? AS int[]))) AS u(row_id, changed_at, xmin) OFFSET 0) v""";

    /** PostgreSQL compares an xid with an int bit by bit. */
    private static final String IS_EXPORTED = """
            %1$s.schema_id = v.schema_id AND %1$s.row_id = v.row_id AND %1$s.flushed_at = v.flushed_at
              AND %1$s.changed_at = v.changed_at AND %1$s.xmin = v.xmin""";

    private ChangeLog() {}

    /**
     * What is dirty in a schema.
     *
     * @param count dirty rows
     * @param oldestChangedAtMillis least version among them, epoch milliseconds; 0 if there is none
     */
    public record Stats(long count, long oldestChangedAtMillis) {}

    /**
     * Dirty rows to export.
     *
     * @param rowIds oldest version first
     * @param snapshotMillis greatest version that belongs to the batch: the clock read before the selection, or a
     *     selected version that is ahead of it
     */
    public record Batch(List<UUID> rowIds, long snapshotMillis) {
        public Batch {
            rowIds = List.copyOf(rowIds);
        }
    }

    /**
     * History that was deleted.
     *
     * @param rows how many rows, at least 1
     * @param lastRowId row id of the last of them
     * @param lastFlushedAtMillis its {@code flushed_at}, epoch milliseconds
     */
    public record PurgedBatch(long rows, UUID lastRowId, long lastFlushedAtMillis) {}

    /** Counts a schema's dirty rows. */
    public static Stats getChangeLogStats(Connection connection, String table, int schemaId) {
        SchemaIds.check(schemaId);
        String sql = """
                SELECT count(*), coalesce(min(changed_at), 0) FROM %s WHERE schema_id = ? AND flushed_at = 0""".formatted(tableName(table));
        try {
            return Jdbc.queryOne(
                    connection,
                    sql,
                    statement -> statement.setInt(1, schemaId),
                    row -> new Stats(row.getLong(1), row.getLong(2)));
        } catch (SQLException e) {
            throw new DatabaseException("count of the dirty rows of schema " + schemaId, e);
        }
    }

    /**
     * Selects dirty rows, oldest version first.
     *
     * @param batchSize most rows; zero or negative for {@link CdcDefaults#BATCH_SIZE}
     */
    public static Batch selectBatchRowIds(Connection connection, String table, int schemaId, int batchSize) {
        return selectBatchRowIds(connection, table, schemaId, batchSize, Clock.systemUTC());
    }

    static Batch selectBatchRowIds(Connection connection, String table, int schemaId, int batchSize, Clock clock) {
        SchemaIds.check(schemaId);
        record Row(UUID id, long changedAtMillis) {}
        String sql = """
                SELECT row_id, changed_at FROM %s WHERE schema_id = ? AND flushed_at = 0
                ORDER BY changed_at, row_id LIMIT ?""".formatted(tableName(table));
        long nowMillis = clock.millis();
        try {
            List<Row> rows = Jdbc.query(
                    connection,
                    sql,
                    statement -> {
                        statement.setInt(1, schemaId);
                        statement.setInt(2, batchSize <= 0 ? CdcDefaults.BATCH_SIZE : batchSize);
                    },
                    row -> new Row(row.getObject(1, UUID.class), row.getLong(2)));
            long newestMillis = rows.isEmpty() ? 0 : rows.get(rows.size() - 1).changedAtMillis();
            return new Batch(rows.stream().map(Row::id).toList(), Math.max(nowMillis, newestMillis));
        } catch (SQLException e) {
            throw new DatabaseException("selection of dirty rows of schema " + schemaId, e);
        }
    }

    /**
     * Marks every dirty row of a schema whose version is at most the snapshot. Rows that were never exported are marked
     * with the others: after an export of a batch use {@link #markFlushedVersions}.
     *
     * @param flushedAtMillis the instant to record, epoch milliseconds, at least 1
     * @return rows marked
     */
    public static long markFlushed(
            Connection connection, String table, int schemaId, long snapshotMillis, long flushedAtMillis) {
        TableName log = checked(table, schemaId, flushedAtMillis);
        Binder binder = statement -> {
            statement.setInt(1, schemaId);
            statement.setLong(2, snapshotMillis);
        };
        return mark(connection, schemaId, log, flushedAtMillis, """
                UPDATE %s c SET flushed_at = %s WHERE c.schema_id = ? AND c.flushed_at = 0 AND c.changed_at <= ?""", sql -> Jdbc.update(connection, sql, binder));
    }

    /**
     * Marks those of the given rows that are dirty with a version of at most the snapshot, any number of them. A row
     * that was written anew after it was exported is marked too if its version is that low: prefer
     * {@link #markFlushedVersions}.
     *
     * @param rowIds without nulls; if empty, nothing is sent
     * @param flushedAtMillis the instant to record, epoch milliseconds, at least 1
     * @return the rows really marked, in no particular order
     */
    public static List<UUID> markFlushedIdsAtSnapshot(
            Connection connection,
            String table,
            int schemaId,
            List<UUID> rowIds,
            long snapshotMillis,
            long flushedAtMillis) {
        TableName log = checked(table, schemaId, flushedAtMillis);
        UuidArrayText ids = new UuidArrayText(rowIds.size());
        rowIds.forEach(ids::add);
        if (rowIds.isEmpty()) {
            return List.of();
        }
        Binder binder = statement -> {
            statement.setInt(1, schemaId);
            statement.setLong(2, snapshotMillis);
            statement.setBytes(3, ids.bytes());
        };
        return mark(
                connection,
                schemaId,
                log,
                flushedAtMillis,
                """
                UPDATE %s c SET flushed_at = %s
                FROM (SELECT CAST(? AS smallint) AS schema_id, 0::bigint AS flushed_at, CAST(? AS bigint) AS snapshot,
                             row_id
                      FROM unnest((SELECT convert_from(?, 'SQL_ASCII')::uuid[])) AS u(row_id) OFFSET 0) v
                WHERE c.schema_id = v.schema_id AND c.row_id = v.row_id AND c.flushed_at = v.flushed_at
                  AND c.changed_at <= v.snapshot
                RETURNING c.row_id""",
                sql -> Jdbc.query(connection, sql, binder, row -> row.getObject(1, UUID.class)));
    }

    /**
     * Marks exactly these versions, any number of them: a row is marked only if it is dirty and its
     * {@code changed_at} and its {@code xmin} are still those that were exported. So a row that was updated, deleted or
     * re-created since stays dirty, whatever the clocks say, even if its writer commits while the statement runs.
     *
     * <p>Waits for no row, or for a moment, so that no writer can be chosen as the victim of a deadlock with it: a row
     * that another transaction holds by then is passed over. It stays dirty, and is exported again by a later pass, even
     * if that transaction only holds a share lock on it, or is rolled back; nothing is lost. A writer may wait for this,
     * until the transaction of the mark ends.
     *
     * <p>Faster where the connection commits each statement: then only rows that somebody was at are locked before they
     * are marked, by a statement of their own. If that one fails, the others are marked, exactly.
     *
     * @param versions if empty, nothing is sent
     * @param flushedAtMillis the instant to record, epoch milliseconds, at least 1
     * @return rows marked
     */
    public static long markFlushedVersions(
            Connection connection, String table, int schemaId, RowVersions versions, long flushedAtMillis) {
        TableName log = checked(table, schemaId, flushedAtMillis);
        if (versions.size() == 0) {
            return 0;
        }
        Binder binder = statement -> {
            statement.setInt(1, schemaId);
            statement.setBytes(2, versions.rowIdsAsArrayText());
            statement.setObject(3, versions.changedAtMillis());
            statement.setObject(4, versions.xmins());
        };
        long marked = markUnheld(connection, schemaId, log, flushedAtMillis, binder);
        return marked == versions.size()
                ? marked
                : marked + markLocked(connection, schemaId, log, flushedAtMillis, binder);
    }

    /**
     * Marks rows that nobody but their writer has locked, updated or deleted; nearly all are like that. Should somebody
     * come to a row between the look and the update, this waits for less time than PostgreSQL lets pass before
     * it looks for a deadlock, and then marks nothing. For the patience to end with the statement, that must be a
     * transaction of its own; where it is not, nothing is marked either.
     */
    private static long markUnheld(
            Connection connection, int schemaId, TableName log, long flushedAtMillis, Binder binder) {
        String update = """
                WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '50ms', true))
                UPDATE %%s c SET flushed_at = %%s FROM patience, %s
                WHERE %s AND (c.xmax = 0 OR c.xmax = c.xmin)""".formatted(EXPORTED, IS_EXPORTED.formatted("c"));
        try {
            return connection.getAutoCommit()
                    ? mark(
                            connection,
                            schemaId,
                            log,
                            flushedAtMillis,
                            update,
                            sql -> Jdbc.update(connection, sql, binder))
                    : 0;
        } catch (SQLException e) {
            throw markFailed(schemaId, e);
        } catch (DatabaseException e) {
            if (e.sqlState().equals(LOCK_NOT_AVAILABLE)) {
                return 0;
            }
            throw e;
        }
    }

    /**
     * Marks rows that it can lock without waiting, in twice the time, because it writes to each row twice. Of a row
     * written since the statement began, the newest tuple is locked; its xmin is another, the conditions are evaluated
     * again on that, and it drops out. The lock is as strong as that of the update, which therefore waits for nobody.
     */
    private static long markLocked(
            Connection connection, int schemaId, TableName log, long flushedAtMillis, Binder binder) {
        // A ctid alone would not tell the partitions of a log apart.
        String update = """
                UPDATE %%1$s c SET flushed_at = %%2$s
                FROM (SELECT l.* FROM %s CROSS JOIN LATERAL (
                        SELECT tableoid, ctid FROM %%1$s d WHERE %s OFFSET 0 FOR UPDATE SKIP LOCKED) l) k
                WHERE c.tableoid = k.tableoid AND c.ctid = k.ctid""".formatted(EXPORTED, IS_EXPORTED.formatted("d"));
        return mark(connection, schemaId, log, flushedAtMillis, update, sql -> Jdbc.update(connection, sql, binder));
    }

    /**
     * Deletes some of a schema's history: rows with {@code flushed_at > 0} that were flushed before an instant, and whose
     * version is of before it too. Rows that are dirty, or have a negative {@code flushed_at}, stay. So does a version of a
     * writer whose clock is ahead, until that time has come: the log alone may tell the next writer of that row what a
     * newer version is. A row that another session holds is passed over, so this waits for nobody.
     *
     * @param flushedBeforeMillis exclusive upper bound of {@code flushed_at} and {@code changed_at}, epoch milliseconds
     * @param maxRows most rows to delete, at least 1
     * @param previous what the last call returned, to go on behind it; null for the beginning
     * @return empty if no such row was left
     */
    public static Optional<PurgedBatch> purgeFlushed(
            Connection connection,
            String table,
            int schemaId,
            long flushedBeforeMillis,
            int maxRows,
            @Nullable PurgedBatch previous) {
        SchemaIds.check(schemaId);
        if (maxRows < 1) {
            throw new IllegalArgumentException("maxRows must be at least 1, not " + maxRows);
        }
        // By key and not by ctid, which is not unique in a partitioned table. In the order of the primary key, so that
        // no batch reads again what those before it have passed.
        String sql = """
                WITH old AS (
                  SELECT row_id, flushed_at FROM %1$s
                  WHERE schema_id = ? AND flushed_at > 0 AND flushed_at < ? AND changed_at < ?
                    AND (row_id, flushed_at) > (?, ?)
                  ORDER BY row_id, flushed_at LIMIT ? FOR UPDATE SKIP LOCKED),
                gone AS (
                  DELETE FROM %1$s c USING old o
                  WHERE c.schema_id = ? AND c.row_id = o.row_id AND c.flushed_at = o.flushed_at
                  RETURNING c.row_id, c.flushed_at)
                SELECT count(*) OVER (), row_id, flushed_at FROM gone
                ORDER BY row_id DESC, flushed_at DESC LIMIT 1""".formatted(tableName(table));
        Binder binder = statement -> {
            statement.setInt(1, schemaId);
            statement.setLong(2, flushedBeforeMillis);
            statement.setLong(3, flushedBeforeMillis);
            statement.setObject(4, previous == null ? new UUID(0, 0) : previous.lastRowId());
            statement.setLong(5, previous == null ? 0 : previous.lastFlushedAtMillis());
            statement.setInt(6, maxRows);
            statement.setInt(7, schemaId);
        };
        try {
            return Jdbc.query(
                            connection,
                            sql,
                            binder,
                            row -> new PurgedBatch(row.getLong(1), row.getObject(2, UUID.class), row.getLong(3)))
                    .stream()
                    .findFirst();
        } catch (SQLException e) {
            throw new DatabaseException("purge of flushed rows of schema " + schemaId, e);
        }
    }

    @FunctionalInterface
    private interface Mark<T> {
        T execute(String sql) throws SQLException;
    }

    /**
     * Executes an update of which two things are left open: the table, and the value of {@code flushed_at}. A row
     * flushed twice within a millisecond, or after the clock was set back, would break the primary key; only then is
     * the statement repeated in a form that looks up each row's earlier marks. The value is part of the text, so that no
     * driver prepares it: a plan of today would be used for a log that has grown since.
     */
    private static <T> T mark(
            Connection connection, int schemaId, TableName log, long flushedAtMillis, String update, Mark<T> mark) {
        try {
            Savepoint savepoint = connection.getAutoCommit() ? null : connection.setSavepoint();
            try {
                T marked = mark.execute(update.formatted(log, flushedAtMillis));
                if (savepoint != null) {
                    connection.releaseSavepoint(savepoint);
                }
                return marked;
            } catch (SQLException e) {
                if (!UNIQUE_VIOLATION.equals(e.getSQLState())) {
                    throw e;
                }
                if (savepoint != null) {
                    connection.rollback(savepoint);
                }
            }
            return mark.execute(update.formatted(log, AFTER_EARLIER_MARKS.formatted(flushedAtMillis, log)));
        } catch (SQLException e) {
            throw markFailed(schemaId, e);
        }
    }

    private static DatabaseException markFailed(int schemaId, SQLException cause) {
        return new DatabaseException("mark of flushed rows of schema " + schemaId, cause);
    }

    private static TableName checked(String table, int schemaId, long flushedAtMillis) {
        SchemaIds.check(schemaId);
        if (flushedAtMillis < 1) {
            throw new IllegalArgumentException("flushedAtMillis must be at least 1, not " + flushedAtMillis
                    + ": zero and less mean that a row is dirty");
        }
        return tableName(table);
    }

    static TableName tableName(String table) {
        return TableName.parse(table.isEmpty() ? CdcDefaults.CHANGE_LOG_TABLE : table);
    }
}
