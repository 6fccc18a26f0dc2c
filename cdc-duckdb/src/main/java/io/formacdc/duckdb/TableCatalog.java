package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which columns the deployment's tables have, and of which type: it may have fewer hot columns than the standard, or
 * {@code value_numeric} as DOUBLE PRECISION.
 *
 * @param entityMainTable the table of hot columns, for messages
 * @param entityMain type by column, in the order of the table
 * @param eavData type by column
 */
record TableCatalog(TableName entityMainTable, Map<String, PgType> entityMain, Map<String, PgType> eavData) {
    private static final String SQL = """
            SELECT t.name, a.attname, coalesce(nullif(ty.typbasetype, 0), a.atttypid)::bigint,
                   CASE WHEN row_security_active(to_regclass(t.name)) THEN quote_ident(current_user) END
              FROM unnest(ARRAY[?, ?, ?]) WITH ORDINALITY AS t(name, n)
              LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_type ty ON ty.oid = a.atttypid
             ORDER BY t.n, a.attnum""";

    /**
     * Reads the catalog.
     *
     * @throws CdcException naming a table, or a column that every deployment has, that is not there, or a table of which
     *     row-level security may hide rows
     */
    static TableCatalog read(Connection connection, TableName changeLog, TableName entityMain, TableName eavData)
            throws SQLException {
        Map<String, Map<String, PgType>> tables = new LinkedHashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(SQL)) {
            statement.setString(1, changeLog.sql());
            statement.setString(2, entityMain.sql());
            statement.setString(3, eavData.sql());
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String restricted = rows.getString(4);
                    if (restricted != null) {
                        throw new CdcException("row-level security of table " + rows.getString(1) + " applies to role "
                                + restricted + ", so rows may be hidden from it: ALTER ROLE " + restricted
                                + " BYPASSRLS");
                    }
                    Map<String, PgType> columns =
                            tables.computeIfAbsent(rows.getString(1), name -> new LinkedHashMap<>());
                    if (rows.getString(2) != null) {
                        columns.put(rows.getString(2), PgType.ofOid(rows.getLong(3)));
                    }
                }
            }
        }
        require(tables, changeLog, "schema_id", "row_id", "flushed_at", "changed_at", "deleted_at");
        return new TableCatalog(
                entityMain,
                require(
                        tables,
                        entityMain,
                        "ltbase_schema_id",
                        "ltbase_row_id",
                        "ltbase_created_at",
                        "ltbase_updated_at",
                        "ltbase_deleted_at"),
                require(
                        tables,
                        eavData,
                        "schema_id",
                        "row_id",
                        "attr_id",
                        "array_indices",
                        "value_text",
                        "value_numeric"));
    }

    private static Map<String, PgType> require(
            Map<String, Map<String, PgType>> tables, TableName table, String... columns) {
        Map<String, PgType> present = tables.getOrDefault(table.sql(), Map.of());
        if (present.isEmpty()) {
            throw new CdcException("table " + table + " does not exist, or this role may not see it");
        }
        List<String> missing = new ArrayList<>(List.of(columns));
        missing.removeAll(present.keySet());
        if (!missing.isEmpty()) {
            throw new CdcException("table " + table + " lacks " + String.join(", ", missing));
        }
        return present;
    }

    PgType valueNumericType() {
        return eavData.getOrDefault("value_numeric", PgType.OTHER);
    }
}
