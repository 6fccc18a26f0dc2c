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
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

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
                   format_type(a.atttypid, a.atttypmod), CASE WHEN row_security_active(to_regclass(t.name)) THEN quote_ident(current_user) END
              FROM unnest(ARRAY[?, ?, ?]) WITH ORDINALITY AS t(name, n)
              LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_type ty ON ty.oid = a.atttypid
             ORDER BY t.n, a.attnum""";

    private static final Set<PgType> INTEGERS = Set.of(PgType.INT2, PgType.INT4, PgType.INT8);
    private static final Set<PgType> MILLIS = Set.of(PgType.INT8);
    private static final Set<PgType> IDS = Set.of(PgType.UUID);
    private static final Set<PgType> ANY = Set.of();

    private static final Map<String, Set<PgType>> CHANGE_LOG = new TreeMap<>(Map.of(
            "schema_id", INTEGERS, "row_id", IDS, "flushed_at", MILLIS, "changed_at", MILLIS, "deleted_at", MILLIS));
    private static final Map<String, Set<PgType>> ENTITY_MAIN = new TreeMap<>(Map.of(
            "ltbase_schema_id",
            INTEGERS,
            "ltbase_row_id",
            IDS,
            "ltbase_created_at",
            MILLIS,
            "ltbase_updated_at",
            MILLIS,
            "ltbase_deleted_at",
            MILLIS));
    private static final Map<String, Set<PgType>> EAV_DATA = new TreeMap<>(Map.of(
            "schema_id",
            INTEGERS,
            "row_id",
            IDS,
            "attr_id",
            Set.of(PgType.INT2),
            "array_indices",
            ANY,
            "value_text",
            ANY,
            "value_numeric",
            ANY));

    /** @param shown its type as PostgreSQL names it */
    private record Column(PgType type, String shown) {}

    /**
     * Reads the catalog.
     *
     * @throws CdcException naming a table, or a column that every deployment has, that is not there or of a type that
     *     cannot be read as what it is, or a table of which row-level security may hide rows
     */
    static TableCatalog read(Connection connection, TableName changeLog, TableName entityMain, TableName eavData)
            throws SQLException {
        Map<String, Map<String, Column>> tables = new LinkedHashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(SQL)) {
            statement.setString(1, changeLog.sql());
            statement.setString(2, entityMain.sql());
            statement.setString(3, eavData.sql());
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String restricted = rows.getString(5);
                    if (restricted != null) {
                        throw new CdcException("row-level security of table " + rows.getString(1) + " applies to role "
                                + restricted + ", so rows may be hidden from it: ALTER ROLE " + restricted
                                + " BYPASSRLS");
                    }
                    Map<String, Column> columns =
                            tables.computeIfAbsent(rows.getString(1), name -> new LinkedHashMap<>());
                    if (rows.getString(2) != null) {
                        columns.put(rows.getString(2), new Column(PgType.ofOid(rows.getLong(3)), rows.getString(4)));
                    }
                }
            }
        }
        require(tables, changeLog, CHANGE_LOG);
        return new TableCatalog(
                entityMain, require(tables, entityMain, ENTITY_MAIN), require(tables, eavData, EAV_DATA));
    }

    private static Map<String, PgType> require(
            Map<String, Map<String, Column>> tables, TableName table, Map<String, Set<PgType>> required) {
        Map<String, Column> present = tables.getOrDefault(table.sql(), Map.of());
        if (present.isEmpty()) {
            throw new CdcException("table " + table + " does not exist, or this role may not see it");
        }
        List<String> missing = new ArrayList<>(required.keySet());
        missing.removeAll(present.keySet());
        if (!missing.isEmpty()) {
            throw new CdcException("table " + table + " lacks " + String.join(", ", missing));
        }
        required.forEach((name, types) -> {
            Column column = Objects.requireNonNull(present.get(name));
            if (!types.isEmpty() && !types.contains(column.type())) {
                throw new CdcException("column " + name + " of table " + table + " is of type " + column.shown()
                        + "; it must be "
                        + types.stream().map(TableCatalog::nameOf).sorted().collect(Collectors.joining(" or ")));
            }
        });
        Map<String, PgType> types = new LinkedHashMap<>();
        present.forEach((name, column) -> types.put(name, column.type()));
        return types;
    }

    private static String nameOf(PgType type) {
        return switch (type) {
            case INT2 -> "smallint";
            case INT4 -> "integer";
            case INT8 -> "bigint";
            default -> type.name().toLowerCase(Locale.ROOT);
        };
    }

    PgType valueNumericType() {
        return eavData.getOrDefault("value_numeric", PgType.OTHER);
    }
}
