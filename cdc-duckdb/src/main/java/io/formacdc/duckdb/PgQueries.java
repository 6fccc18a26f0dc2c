package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.TableName;
import java.util.stream.Collectors;

/**
 * The queries whose rows an export streams. Their text holds quoted identifiers, numbers and row ids, and does not grow
 * with the number of rows. Immutable.
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
     * @param condition what else holds for {@code k}, beginning with AND
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
                        " AND k.schema_id = " + schemaId + " AND k.flushed_at = 0" + moreConditions,
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
                        " AND k.ltbase_schema_id = " + schemaId + " AND k.ltbase_deleted_at IS NULL" + moreConditions,
                        "k.ltbase_updated_at, 0::bigint, k.xmin"));
    }

    /** Fields as {@link EntityTuples} reads them. */
    String entities(Projection projection, RowIdRange range) {
        String hot = projection.hot().stream()
                .map(c -> ", m." + TableName.quote(c.source()) + (c.castToText() ? "::text" : ""))
                .collect(Collectors.joining());
        return "SELECT k." + keys.rowColumn() + ", " + keys.versionFields()
                + ", m.ltbase_created_at, m.ltbase_updated_at, m.ltbase_deleted_at" + hot
                + " FROM " + keys.table() + " k LEFT JOIN " + entityMain
                + " m ON m.ltbase_schema_id = k." + keys.schemaColumn() + " AND m.ltbase_row_id = k." + keys.rowColumn()
                + " WHERE true" + keys.condition() + range.sqlOn("k." + keys.rowColumn());
    }

    /** Fields as {@link EavTuples} reads them. */
    String eav(RowIdRange range) {
        return "SELECT e.row_id, e.attr_id, e.array_indices, e.value_text, e.value_numeric FROM " + keys.table()
                + " k JOIN " + eavData + " e ON e.schema_id = k." + keys.schemaColumn() + " AND e.row_id = k."
                + keys.rowColumn() + " WHERE true" + keys.condition() + range.sqlOn("k." + keys.rowColumn())
                + range.sqlOn("e.row_id");
    }
}
