package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.TableName;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The queries whose rows an export streams. Their text holds quoted identifiers, numbers and row ids, and does not grow
 * with the number of rows. Exported rows are looked up by primary key (OFFSET 0 keeps the planner from any other way):
 * the cost follows the rows exported, whatever the statistics of a table say that was filled a minute ago. Only where
 * {@link ExportedRows} finds that most of a range is exported, all of it is read. Immutable.
 *
 * @param keyColumns SQL of row_id, changed_at, deleted_at and xmin of the rows to export
 * @param rows their table, and the conditions on it; more may follow
 * @param rowIdColumn the row id in that table
 * @param live whether that table is the one of the entities
 * @param givenIds selects the {@code id}s of which alone rows are exported, none of them twice; null for all
 */
record PgQueries(
        int schemaId,
        TableName entityMain,
        TableName eavData,
        String keyColumns,
        String rows,
        String rowIdColumn,
        boolean live,
        @Nullable String givenIds) {

    /** Below so many rows, to ask how many others there are costs more than the answer can save. */
    static final int MIN_ROWS_TO_COUNT = 512;

    /** Whether a query for a number yields no greater one. */
    static boolean isAtMost(Connection connection, String query, long most) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery(query)) {
            count.next();
            return count.getLong(1) <= most;
        }
    }

    /** Dirty rows. LEFT JOIN semantics: a tombstone is exported although its entity is gone. */
    static PgQueries ofDirtyRows(CdcConfig config, int schemaId) {
        return new PgQueries(
                schemaId,
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()),
                "row_id, changed_at, deleted_at, xmin AS xmin",
                TableName.parse(config.changeLogTable()) + " WHERE schema_id = " + schemaId + " AND flushed_at = 0",
                "row_id",
                false,
                null);
    }

    /** Live entities, whose version is that of their last update. */
    static PgQueries ofLiveEntities(CdcConfig config, int schemaId) {
        TableName entityMain = TableName.parse(config.entityMainTable());
        return new PgQueries(
                schemaId,
                entityMain,
                TableName.parse(config.eavDataTable()),
                "ltbase_row_id AS row_id, ltbase_updated_at AS changed_at, 0::bigint AS deleted_at, xmin AS xmin",
                entityMain + " WHERE ltbase_schema_id = " + schemaId + " AND " + isAlive("ltbase_deleted_at"),
                "ltbase_row_id",
                true,
                null);
    }

    /** An entity is deleted, as a row of the change log is, by an instant above 0. */
    static String isAlive(String deletedAtColumn) {
        return "(" + deletedAtColumn + " IS NULL OR " + deletedAtColumn + " <= 0)";
    }

    /** Of the dirty rows those not newer. */
    PgQueries notNewerThan(long changedAtMillis) {
        return with(rows + " AND changed_at <= " + changedAtMillis, givenIds);
    }

    /** Those of the ids that a query selects as {@code id}. */
    PgQueries among(String idsQuery) {
        return with(rows, idsQuery);
    }

    private PgQueries with(String someRows, @Nullable String ids) {
        return new PgQueries(schemaId, entityMain, eavData, keyColumns, someRows, rowIdColumn, live, ids);
    }

    /** The greatest row id. */
    String lastRowId() {
        return "SELECT row_id FROM (" + keysIn(RowIdInterval.ALL) + ") k ORDER BY row_id DESC LIMIT 1";
    }

    /**
     * Every {@code step}-th row id of the first {@code maxRows}, and the last one, each with its number. A window would
     * have to number and keep all of them; so each piece is a scan that begins where the one before has ended.
     */
    String bounds(RowIdInterval range, int maxRows, int step) {
        String piece = "SELECT (array_agg(row_id))[count(*)] AS row_id, count(*) AS size"
                + " FROM (SELECT row_id FROM (%s) k WHERE %s ORDER BY row_id LIMIT %s) c";
        return """
                WITH RECURSIVE pieces AS (
                  SELECT row_id, size, size AS n FROM (%s) f
                   UNION ALL
                  SELECT e.row_id, e.size, p.n + e.size FROM pieces p CROSS JOIN LATERAL (%s) e WHERE p.size = %d)
                SELECT row_id, n FROM pieces WHERE size > 0 ORDER BY n""".formatted(
                piece.formatted(keysIn(range), "true", Math.min(step, maxRows)),
                piece.formatted(keysIn(range), "row_id > p.row_id", "least(" + step + ", " + maxRows + " - p.n)"),
                step);
    }

    /** Number of rows, and two sums of hashes of id and version. */
    String digest(RowIdInterval range) {
        String sum = "coalesce(sum(uuid_hash_extended(row_id, %s)), 0)";
        return "SELECT count(*), " + sum.formatted("changed_at") + ", " + sum.formatted("~changed_at") + " FROM ("
                + keysIn(range) + ") k";
    }

    /** Row id, changed_at, deleted_at and xmin of each row, ascending by id. */
    String keys(RowIdInterval range) {
        return "SELECT row_id, changed_at, deleted_at, xmin FROM (" + keysIn(range) + ") k ORDER BY row_id";
    }

    /** The number of rows; the limit if there are more. */
    String countOfRows(RowIdInterval range, long limit) {
        return "SELECT count(*) FROM (SELECT FROM (" + keysIn(range) + ") k LIMIT " + limit + ") c";
    }

    /** The number of entities, exported or not; the limit if there are more. */
    String countOfEntities(RowIdInterval range, long limit) {
        return "SELECT count(*) FROM (SELECT FROM " + entityMain + " WHERE ltbase_schema_id = " + schemaId
                + within(range, "ltbase_row_id") + " LIMIT " + limit + ") e";
    }

    /** Whether the rows are the entities themselves, whose fields take no search. */
    boolean selectsEntities() {
        return live && givenIds == null;
    }

    /** Fields as {@link EntityJoin} reads them. */
    String entities(Projection projection, RowIdInterval range) {
        String columns = entityColumns(projection);
        if (selectsEntities()) {
            return "SELECT " + keyColumns + ", " + columns + " FROM " + rows + within(range, rowIdColumn);
        }
        return "SELECT k.row_id, k.changed_at, k.deleted_at, k.xmin, m.* FROM (" + keysIn(range)
                + ") k LEFT JOIN LATERAL (SELECT " + columns + " FROM " + entityMain + " WHERE ltbase_schema_id = "
                + schemaId + " AND ltbase_row_id = k.row_id OFFSET 0) m ON true";
    }

    /** Row id and fields of all entities, exported or not. */
    String wholeEntities(Projection projection, RowIdInterval range) {
        return "SELECT ltbase_row_id, " + entityColumns(projection) + " FROM " + entityMain
                + " WHERE ltbase_schema_id = " + schemaId + within(range, "ltbase_row_id");
    }

    private static String entityColumns(Projection projection) {
        return "ltbase_created_at, ltbase_updated_at, ltbase_deleted_at"
                + projection.hot().stream()
                        .map(c -> ", " + TableName.quote(c.source()) + (c.castToText() ? "::text" : ""))
                        .collect(Collectors.joining());
    }

    /** Fields as {@link EavTuple} reads them. */
    String eav(EavTuple.Indices indices, RowIdInterval range) {
        return "SELECT k.row_id, e.* FROM (" + keysIn(range) + ") k CROSS JOIN LATERAL (SELECT "
                + indices.columns() + " FROM " + eavData + " WHERE schema_id = " + schemaId
                + " AND row_id = k.row_id OFFSET 0) e";
    }

    /** The same of all entities, exported or not. */
    String wholeEav(EavTuple.Indices indices, RowIdInterval range) {
        return "SELECT row_id, " + indices.columns() + " FROM " + eavData + " WHERE schema_id = " + schemaId
                + within(range, "row_id");
    }

    private String keysIn(RowIdInterval range) {
        String keys = "SELECT " + keyColumns + " FROM " + rows;
        return givenIds != null
                ? "SELECT c.* FROM (" + givenIds + ") i CROSS JOIN LATERAL (" + keys + " AND " + rowIdColumn
                        + " = i.id OFFSET 0) c WHERE true" + within(range, "i.id")
                : keys + within(range, rowIdColumn);
    }

    /** {@code AND} conditions on a UUID column; ids of this form are safe in the text of a query. */
    static String within(RowIdInterval interval, String column) {
        return (interval.after() == null ? "" : " AND " + column + " > '" + interval.after() + "'")
                + (interval.upTo() == null ? "" : " AND " + column + " <= '" + interval.upTo() + "'");
    }
}
