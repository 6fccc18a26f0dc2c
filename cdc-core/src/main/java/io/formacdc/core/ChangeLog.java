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
 * Go's change-log helpers, one statement each, on a connection whose transaction is the caller's business.
 *
 * <p>The name of the table is {@code table} or {@code schema.table}, as {@link TableName#parse} reads it; empty stands
 * for {@code change_log}. A schema id outside 1..32767 is refused with an {@link IllegalArgumentException} before any
 * SQL. What PostgreSQL refuses is a {@link DatabaseException}; nothing was changed then, and a transaction of the caller
 * is left to be rolled back.
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

    /** Later than any mark that the row has had. */
    private static final String AFTER_EARLIER_MARKS = """
            greatest(?, 1 + (SELECT max(h.flushed_at) FROM %s h
                             WHERE h.schema_id = c.schema_id AND h.row_id = c.row_id))""";

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
            statement.setLong(1, flushedAtMillis);
            statement.setInt(2, schemaId);
            statement.setLong(3, snapshotMillis);
        };
        return mark(connection, schemaId, log, """
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
            statement.setLong(1, flushedAtMillis);
            statement.setInt(2, schemaId);
            statement.setLong(3, snapshotMillis);
            statement.setBytes(4, ids.bytes());
        };
        return mark(
                connection,
                schemaId,
                log,
                """
                UPDATE %s c SET flushed_at = %s
                FROM (SELECT CAST(? AS smallint) AS schema_id, 0::bigint AS flushed_at, CAST(? AS bigint) AS snapshot,
                             row_id
                      FROM unnest(convert_from(?, 'SQL_ASCII')::uuid[]) AS u(row_id) OFFSET 0) v
                WHERE c.schema_id = v.schema_id AND c.row_id = v.row_id AND c.flushed_at = v.flushed_at
                  AND c.changed_at <= v.snapshot
                RETURNING c.row_id""",
                sql -> Jdbc.query(connection, sql, binder, row -> row.getObject(1, UUID.class)));
    }

    /**
     * Marks exactly these versions, any number of them, in one statement: a row is marked only if it is dirty and its
     * {@code changed_at} and its {@code xmin} are still those that were exported. So a row that was updated, deleted or
     * re-created since stays dirty, whatever the clocks say, even if its writer commits while the statement runs.
     *
     * <p>Waits for no row, so that no writer can be chosen as the victim of a deadlock with it: a row that another
     * transaction holds by then is passed over. It stays dirty, and is exported again by a later pass, even if that
     * transaction only holds a share lock on it, or is rolled back; nothing is lost. A writer may wait for this, until
     * the transaction of the mark ends.
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
            statement.setLong(1, flushedAtMillis);
            statement.setInt(2, schemaId);
            statement.setBytes(3, versions.rowIdsAsArrayText());
            statement.setObject(4, versions.changedAtMillis());
            statement.setObject(5, versions.xmins());
        };
        // PostgreSQL compares an xid with an int bit by bit. Of a row written since the statement began, the newest
        // tuple is locked; its xmin is another, the conditions are evaluated again on that, and it drops out. The lock
        // is as strong as that of the update, which therefore waits for nobody, and finds the row where it was locked:
        // a second search by key would cost a sixth of all this. The table's oid, because in a partitioned log a ctid
        // alone is not unique.
        return mark(connection, schemaId, log, """
                UPDATE %1$s c SET flushed_at = %2$s
                FROM (SELECT l.tableoid AS partition, l.ctid AS place
                      FROM (SELECT CAST(? AS smallint) AS schema_id, 0::bigint AS flushed_at, row_id, changed_at, xmin
                            FROM unnest(convert_from(?, 'SQL_ASCII')::uuid[], CAST(? AS bigint[]), CAST(? AS int[]))
                              AS u(row_id, changed_at, xmin) OFFSET 0) v
                      JOIN %1$s l ON l.schema_id = v.schema_id AND l.row_id = v.row_id AND l.flushed_at = v.flushed_at
                        AND l.changed_at = v.changed_at AND l.xmin = v.xmin
                      FOR UPDATE OF l SKIP LOCKED) k
                WHERE c.tableoid = k.partition AND c.ctid = k.place""", sql -> Jdbc.update(connection, sql, binder));
    }

    /**
     * Deletes some of a schema's history: rows with {@code flushed_at > 0} that were flushed before an instant. Rows that
     * are dirty, or have a negative {@code flushed_at}, stay. A row that another session holds is passed over, so this
     * waits for nobody.
     *
     * @param flushedBeforeMillis exclusive upper bound of {@code flushed_at}, epoch milliseconds
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
                  WHERE schema_id = ? AND flushed_at > 0 AND flushed_at < ? AND (row_id, flushed_at) > (?, ?)
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
            statement.setObject(3, previous == null ? new UUID(0, 0) : previous.lastRowId());
            statement.setLong(4, previous == null ? 0 : previous.lastFlushedAtMillis());
            statement.setInt(5, maxRows);
            statement.setInt(6, schemaId);
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
     * the statement repeated in a form that looks up each row's earlier marks.
     *
     * <p>An update by many keys joins them to the log by {@code OFFSET 0}, behind which the planner sees no constant.
     * Otherwise statistics from a moment when nothing was dirty have it expect one dirty row, and scan all keys for
     * each of the many there are.
     */
    private static <T> T mark(Connection connection, int schemaId, TableName log, String update, Mark<T> mark) {
        try {
            Savepoint savepoint = connection.getAutoCommit() ? null : connection.setSavepoint();
            try {
                T marked = mark.execute(update.formatted(log, "?"));
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
            return mark.execute(update.formatted(log, AFTER_EARLIER_MARKS.formatted(log)));
        } catch (SQLException e) {
            throw new DatabaseException("mark of flushed rows of schema " + schemaId, e);
        }
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
