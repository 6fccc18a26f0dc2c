package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.TableName;
import java.util.stream.Collectors;

/**
 * The queries whose rows an export streams. Their text holds quoted identifiers, numbers and row ids, and does not grow
 * with the number of rows. Every exported row is looked up by primary key (OFFSET 0 keeps the planner from any other
 * way): the cost follows the rows exported, whatever the statistics of a table say that was filled a minute ago.
 * Immutable.
 *
 * @param keys the table that says which rows to export, as {@code k}, with what follows FROM and WHERE
 */
record PgQueries(TableName entityMain, TableName eavData, Keys keys) {

    /**
     * Which rows to export.
     *
     * @param table FROM what, as {@code k}
     * @param schemaColumn its schema id
     * @param rowColumn its row id
     * @param condition what else holds for {@code k}, of k alone
     * @param versionFields changed_at, deleted_at and xmin of the exported row
     */
    record Keys(String table, String schemaColumn, String rowColumn, String condition, String versionFields) {}

    /** Dirty rows. LEFT JOIN semantics: a tombstone is exported although its entity is gone. */
    static PgQueries ofDirtyRows(CdcConfig config, int schemaId, String moreConditions) {
        return new PgQueries(
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()),
                new Keys(
                        TableName.parse(config.changeLogTable()).sql(),
                        "schema_id",
                        "row_id",
                        "k.schema_id = " + schemaId + " AND k.flushed_at = 0" + moreConditions,
                        "k.changed_at, k.deleted_at, k.xmin"));
    }

    /** Live entities, whose version is that of their last update. */
    static PgQueries ofLiveEntities(CdcConfig config, int schemaId, String moreConditions) {
        return new PgQueries(
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()),
                new Keys(
                        TableName.parse(config.entityMainTable()).sql(),
                        "ltbase_schema_id",
                        "ltbase_row_id",
                        "k.ltbase_schema_id = " + schemaId + " AND k.ltbase_deleted_at IS NULL" + moreConditions,
                        "k.ltbase_updated_at, 0::bigint, k.xmin"));
    }

    /** Fields as {@link EntityTuples} reads them. */
    String entities(Projection projection, RowIdRange range) {
        String hot = projection.hot().stream()
                .map(c -> ", " + TableName.quote(c.source()) + (c.castToText() ? "::text" : ""))
                .collect(Collectors.joining());
        String entity = "SELECT ltbase_created_at, ltbase_updated_at, ltbase_deleted_at" + hot + " FROM " + entityMain
                + " WHERE ltbase_schema_id = k." + keys.schemaColumn() + " AND ltbase_row_id = k." + keys.rowColumn();
        return "SELECT k." + keys.rowColumn() + ", " + keys.versionFields() + ", m.* FROM " + keys.table()
                + " k LEFT JOIN LATERAL (" + entity + " OFFSET 0) m ON true WHERE " + keys.condition()
                + range.sqlOn("k." + keys.rowColumn());
    }

    /** Fields as {@link EavTuples} reads them. */
    String eav(RowIdRange range) {
        String values = "SELECT row_id, attr_id, array_indices, value_text, value_numeric FROM " + eavData
                + " WHERE schema_id = k." + keys.schemaColumn() + " AND row_id = k." + keys.rowColumn();
        return "SELECT e.* FROM " + keys.table() + " k CROSS JOIN LATERAL (" + values + " OFFSET 0) e WHERE "
                + keys.condition() + range.sqlOn("k." + keys.rowColumn());
    }
}
