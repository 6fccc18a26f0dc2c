package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.TableName;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The queries whose rows an export streams. Their text holds quoted identifiers, numbers and row ids, and does not grow
 * with the number of rows. Every exported row is looked up by primary key (OFFSET 0 keeps the planner from any other
 * way): the cost follows the rows exported, whatever the statistics of a table say that was filled a minute ago.
 * Immutable.
 *
 * @param keys selects row_id, changed_at, deleted_at and xmin of the rows to export; conditions may follow
 * @param rowIdColumn the row id in the table of {@code keys}
 * @param givenIds selects the {@code id}s of which alone rows are exported, none of them twice; null for all
 */
record PgQueries(
        int schemaId,
        TableName entityMain,
        TableName eavData,
        String keys,
        String rowIdColumn,
        @Nullable String givenIds) {

    /** Dirty rows. LEFT JOIN semantics: a tombstone is exported although its entity is gone. */
    static PgQueries ofDirtyRows(CdcConfig config, int schemaId) {
        return of(
                config,
                schemaId,
                "SELECT row_id, changed_at, deleted_at, xmin AS xmin FROM "
                        + TableName.parse(config.changeLogTable()) + " WHERE schema_id = " + schemaId
                        + " AND flushed_at = 0",
                "row_id");
    }

    /** Live entities, whose version is that of their last update. */
    static PgQueries ofLiveEntities(CdcConfig config, int schemaId) {
        return of(
                config,
                schemaId,
                "SELECT ltbase_row_id AS row_id, ltbase_updated_at AS changed_at, 0::bigint AS deleted_at,"
                        + " xmin AS xmin FROM " + TableName.parse(config.entityMainTable())
                        + " WHERE ltbase_schema_id = " + schemaId + " AND ltbase_deleted_at IS NULL",
                "ltbase_row_id");
    }

    private static PgQueries of(CdcConfig config, int schemaId, String keys, String rowIdColumn) {
        return new PgQueries(
                schemaId,
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()),
                keys,
                rowIdColumn,
                null);
    }

    /** Of the dirty rows those not newer. */
    PgQueries notNewerThan(long changedAtMillis) {
        return new PgQueries(
                schemaId, entityMain, eavData, keys + " AND changed_at <= " + changedAtMillis, rowIdColumn, givenIds);
    }

    /** Those of the ids given to {@link PgSnapshot#setRowIds}. */
    PgQueries amongThoseGiven() {
        return among("SELECT " + PgSnapshot.ROW_IDS + " AS id");
    }

    /** Those of the ids that a query selects as {@code id}. */
    PgQueries among(String idsQuery) {
        return new PgQueries(schemaId, entityMain, eavData, keys, rowIdColumn, idsQuery);
    }

    /** The greatest row id. */
    String lastRowId() {
        return "SELECT row_id FROM (" + keys + ") k ORDER BY row_id DESC LIMIT 1";
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

    /** Fields as {@link EntityTuples} reads them. */
    String entities(Projection projection, RowIdInterval range) {
        String hot = projection.hot().stream()
                .map(c -> ", " + TableName.quote(c.source()) + (c.castToText() ? "::text" : ""))
                .collect(Collectors.joining());
        return "SELECT k.row_id, k.changed_at, k.deleted_at, k.xmin, m.* FROM (" + keysIn(range)
                + ") k LEFT JOIN LATERAL (SELECT ltbase_created_at, ltbase_updated_at, ltbase_deleted_at" + hot
                + " FROM " + entityMain + " WHERE ltbase_schema_id = " + schemaId
                + " AND ltbase_row_id = k.row_id OFFSET 0) m ON true";
    }

    /** Fields as {@link EavTuples} reads them. */
    String eav(RowIdInterval range) {
        return "SELECT e.* FROM (" + keysIn(range) + ") k CROSS JOIN LATERAL (SELECT row_id, attr_id, array_indices,"
                + " value_text, value_numeric FROM " + eavData + " WHERE schema_id = " + schemaId
                + " AND row_id = k.row_id OFFSET 0) e";
    }

    private String keysIn(RowIdInterval range) {
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
