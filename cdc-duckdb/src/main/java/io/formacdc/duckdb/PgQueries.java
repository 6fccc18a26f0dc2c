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
 * with the number of rows. The planner is left no choice, because the statistics of a table that was filled a minute ago
 * may say anything. Where few of a range's entities are exported, each is looked up by primary key (OFFSET 0 sees to
 * that), and the cost follows the rows exported. Where most are, tables are read in the order of their keys and merged
 * (the settings of {@link PgSnapshot} see to that), in about half the time. Immutable.
 *
 * @param keyColumns SQL of row_id, changed_at, deleted_at and xmin of a row to export
 * @param source the table of these, and conditions; more may follow
 * @param rowIdColumn the row id in it
 * @param givenIds selects the {@code id}s of which alone rows are exported, none of them twice; null for all
 * @param rowsOfRange how many rows of each range are exported, roughly; 0 where that is not known
 * @param dense whether that is most entities of the range
 */
record PgQueries(
        int schemaId,
        TableName entityMain,
        TableName eavData,
        String keyColumns,
        String source,
        String rowIdColumn,
        @Nullable String givenIds,
        long rowsOfRange,
        boolean dense) {

    /** As {@link WideTuples} wants it; the keys are read in that order anyway. */
    private static final String IN_ORDER = " ORDER BY k.row_id";

    /** Dirty rows. LEFT JOIN semantics: a tombstone is exported although its entity is gone. */
    static PgQueries ofDirtyRows(CdcConfig config, int schemaId) {
        return new PgQueries(
                schemaId,
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()),
                "row_id, changed_at, deleted_at, xmin AS xmin",
                TableName.parse(config.changeLogTable()) + " WHERE schema_id = " + schemaId + " AND flushed_at = 0",
                "row_id",
                null,
                0,
                false);
    }

    /** Live entities, whose version is that of their last update. */
    static PgQueries ofLiveEntities(CdcConfig config, int schemaId) {
        TableName entityMain = TableName.parse(config.entityMainTable());
        return new PgQueries(
                schemaId,
                entityMain,
                TableName.parse(config.eavDataTable()),
                "ltbase_row_id AS row_id, ltbase_updated_at AS changed_at, 0::bigint AS deleted_at, xmin AS xmin",
                entityMain + " WHERE ltbase_schema_id = " + schemaId + " AND ltbase_deleted_at IS NULL",
                "ltbase_row_id",
                null,
                0,
                false);
    }

    /** Of the dirty rows those not newer. */
    PgQueries notNewerThan(long changedAtMillis) {
        String notNewer = source + " AND changed_at <= " + changedAtMillis;
        return new PgQueries(
                schemaId, entityMain, eavData, keyColumns, notNewer, rowIdColumn, givenIds, rowsOfRange, dense);
    }

    /** Those of the ids given to {@link PgSnapshot#setRowIds}. */
    PgQueries amongThoseGiven() {
        return among("SELECT " + PgSnapshot.ROW_IDS + " AS id");
    }

    /** Those of the ids that a query selects as {@code id}. */
    PgQueries among(String idsQuery) {
        return new PgQueries(
                schemaId, entityMain, eavData, keyColumns, source, rowIdColumn, idsQuery, rowsOfRange, dense);
    }

    PgQueries ofRangesWith(long rows) {
        return new PgQueries(schemaId, entityMain, eavData, keyColumns, source, rowIdColumn, givenIds, rows, dense);
    }

    /** Those that fit a range: finds out, by a count that goes no further than need be, whether most entities are exported. */
    PgQueries fitting(Connection connection, RowIdInterval range) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery(countOfEntities(range, 2 * rowsOfRange + 1))) {
            count.next();
            boolean most = count.getLong(1) <= 2 * rowsOfRange;
            return new PgQueries(
                    schemaId, entityMain, eavData, keyColumns, source, rowIdColumn, givenIds, rowsOfRange, most);
        }
    }

    /** The greatest row id. */
    String lastRowId() {
        return "SELECT row_id FROM (" + keysIn(RowIdInterval.ALL) + ") k ORDER BY row_id DESC LIMIT 1";
    }

    /** Every {@code step}-th row id of the first {@code maxRows}, and the last one, each with its number. */
    String bounds(RowIdInterval range, int maxRows, int step) {
        return """
                SELECT row_id, n FROM (
                  SELECT row_id, row_number() OVER (ORDER BY row_id) AS n, count(*) OVER () AS total FROM (
                    SELECT row_id FROM (%s) k ORDER BY row_id LIMIT %d) c) d
                 WHERE n %% %d = 0 OR n = total ORDER BY n""".formatted(keysIn(range), maxRows, step);
    }

    /** Number of rows, and two sums of hashes of id and version. */
    String digest(RowIdInterval range) {
        String sum = "coalesce(sum(uuid_hash_extended(row_id, %s)), 0)";
        return "SELECT count(*), " + sum.formatted("changed_at") + ", " + sum.formatted("~changed_at") + " FROM ("
                + keysIn(range) + ") k";
    }

    private String countOfEntities(RowIdInterval range, long limit) {
        return "SELECT count(*) FROM (SELECT FROM " + entityMain + " WHERE ltbase_schema_id = " + schemaId
                + within(range, "ltbase_row_id") + " LIMIT " + limit + ") e";
    }

    /** Fields as {@link EntityTuples} reads them. */
    String entities(Projection projection, RowIdInterval range) {
        String hot = "ltbase_created_at, ltbase_updated_at, ltbase_deleted_at"
                + projection.hot().stream()
                        .map(c -> ", " + TableName.quote(c.source()) + (c.castToText() ? "::text" : ""))
                        .collect(Collectors.joining());
        boolean isOneTable = rowIdColumn.equals("ltbase_row_id");
        if (dense && isOneTable && !amongGivenIds) {
            return "SELECT " + keyColumns + ", " + hot + " FROM " + source + within(range, rowIdColumn)
                    + " ORDER BY row_id";
        }
        String keys = "SELECT k.row_id, k.changed_at, k.deleted_at, k.xmin, ";
        return dense
                ? keys + hot + " FROM (" + keysIn(range) + ") k LEFT JOIN " + entityMain + " m ON ltbase_schema_id = "
                        + schemaId + " AND ltbase_row_id = k.row_id" + within(range, "ltbase_row_id") + IN_ORDER
                : keys + "m.* FROM (" + keysIn(range) + ") k LEFT JOIN LATERAL (SELECT " + hot + " FROM " + entityMain
                        + " WHERE ltbase_schema_id = " + schemaId
                        + " AND ltbase_row_id = k.row_id OFFSET 0) m ON true" + IN_ORDER;
    }

    /** Fields as {@link EavTuples} reads them. */
    String eav(RowIdInterval range) {
        String columns = "e.row_id, e.attr_id, e.array_indices, e.value_text, e.value_numeric FROM ";
        return dense
                ? "SELECT " + columns + "(" + keysIn(range) + ") k JOIN " + eavData + " e ON e.schema_id = " + schemaId
                        + " AND e.row_id = k.row_id" + within(range, "e.row_id") + IN_ORDER
                : "SELECT r.* FROM (" + keysIn(range) + ") k CROSS JOIN LATERAL (SELECT " + columns + eavData
                        + " e WHERE e.schema_id = " + schemaId + " AND e.row_id = k.row_id OFFSET 0) r" + IN_ORDER;
    }

    private String keysIn(RowIdInterval range) {
        String keys = "SELECT " + keyColumns + " FROM " + source;
        if (givenIds == null) {
            return keys + within(range, rowIdColumn);
        }
        String given = "(" + givenIds + " ORDER BY 1) i";
        return dense
                ? "SELECT c.* FROM " + given + " JOIN (" + keys + within(range, rowIdColumn) + ") c ON c.row_id = i.id"
                : "SELECT i.id AS row_id, c.changed_at, c.deleted_at, c.xmin FROM " + given + " CROSS JOIN LATERAL ("
                        + keys + " AND " + rowIdColumn + " = i.id OFFSET 0) c";
    }

    /** {@code AND} conditions on a UUID column; ids of this form are safe in the text of a query. */
    static String within(RowIdInterval interval, String column) {
        return (interval.after() == null ? "" : " AND " + column + " > '" + interval.after() + "'")
                + (interval.upTo() == null ? "" : " AND " + column + " <= '" + interval.upTo() + "'");
    }
}
