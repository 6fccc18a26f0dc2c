package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * DuckDB's SQL of an export: entities joined with their pivoted attributes, written to one Parquet file. Immutable.
 *
 * @param schemaId a number, safe in the text
 */
record ExportSql(int schemaId, Projection projection, CdcConfig config, Origin origin) {
    /** Where the rows come from. */
    enum Origin {
        /** {@link CopyFunction}: a UUID is two numbers, because DuckDB's Java functions have none. */
        COPY,
        /** Relations of another kind: a UUID is itself, in the first of its two columns; the second is always the same. */
        RELATIONS
    }

    /** Of rows that come from {@link CopyFunction}. */
    ExportSql(int schemaId, Projection projection, CdcConfig config) {
        this(schemaId, projection, config, Origin.COPY);
    }

    /**
     * Small enough that a merge of many files fits its memory, because a merge can never use less than its inputs' row
     * groups.
     */
    static final String ROW_GROUP_SIZE = "64MB";

    private static final String UNSIGNED_64 = "18446744073709551615::HUGEINT";

    /** The statement; it yields one row of statistics. */
    String copyTo(Path file, long entitySource, long eavSource) {
        return copyTo(file.toString(), "postgres_copy(" + entitySource + ")", "postgres_copy(" + eavSource + ")");
    }

    /**
     * The same of these relations.
     *
     * @param target a local path, or {@code s3://bucket/key}
     * @param entities as {@link EntityJoin} writes them, but for UUIDs, which are as {@link #origin} says
     * @param eav as {@link EavReader} writes them, with the same exception; not read where {@link #isMerged}
     */
    String copyTo(String target, String entities, String eav) {
        return "COPY (" + select(entities, eav) + ") " + ParquetCopy.to(target, config, ROW_GROUP_SIZE, fieldIds());
    }

    private String select(String entityRows, String eavRows) {
        String entities = "SELECT " + schemaId + "::SMALLINT AS schema_id, " + uuid(0)
                + " AS row_id, h.c2 AS changed_at, h.c3 AS deleted_at, h.c4 AS ltbase_created_at,"
                + " h.c5 AS ltbase_updated_at, h.c6 AS ltbase_deleted_at" + hotColumns() + eavColumns() + " FROM "
                + entityRows + " h";
        return projection.readsEav() && !isMerged()
                ? entities + " LEFT JOIN (" + pivot(eavRows) + ") e ON e.c0 = h.c0 AND e.c1 = h.c1"
                : entities;
    }

    /** Whether the attributes come with their entities. */
    private boolean isMerged() {
        return origin == Origin.COPY && projection.isMergedByReader();
    }

    private String hotColumns() {
        StringBuilder sql = new StringBuilder();
        int column = EntityJoin.FIRST_HOT_COLUMN;
        for (HotColumn hot : projection.hot()) {
            boolean isUuid = hot.targetType() == LakeType.UUID;
            sql.append(", ")
                    .append(isUuid ? uuid(column) : "h.c" + column)
                    .append(" AS ")
                    .append(TableName.quote(hot.target()));
            column += isUuid ? 2 : 1;
        }
        return sql.toString();
    }

    private String eavColumns() {
        if (projection.generic()) {
            return ", e.attributes";
        }
        StringBuilder sql = new StringBuilder();
        int column = EntityJoin.firstAttributeColumn(projection);
        for (EavAttribute attribute : projection.eav()) {
            sql.append(isMerged() ? ", h.c" + column++ : ", e.a" + attribute.attrId())
                    .append(" AS ")
                    .append(TableName.quote(attribute.target()));
        }
        return sql.toString();
    }

    private String pivot(String eavRows) {
        String aggregates = projection.generic()
                ? ", list({'attr_id': c" + EavReader.ATTR_ID + ", 'array_indices': c" + EavReader.ARRAY_INDICES
                        + ", 'value_text': c" + EavReader.TEXT + ", 'value_numeric': c" + EavReader.DOUBLE
                        + "} ORDER BY c" + EavReader.ATTR_ID + ", c" + EavReader.ARRAY_INDICES + ") AS attributes"
                : projection.eav().stream()
                        .map(a -> ", " + (a.isList() ? list(a) : scalar(a)) + " AS a" + a.attrId())
                        .collect(Collectors.joining());
        return "SELECT c0, c1" + aggregates + " FROM " + eavRows + " GROUP BY c0, c1";
    }

    /** The greatest, should a scalar have several rows. */
    private static String scalar(EavAttribute attribute) {
        String max =
                "max(" + valueColumn(attribute) + ") FILTER (c" + EavReader.ATTR_ID + " = " + attribute.attrId() + ")";
        return attribute.type() == LakeType.BOOLEAN ? "(" + max + ") = 1" : max;
    }

    /** NULL without rows, empty with the marker alone. */
    private static String list(EavAttribute attribute) {
        String isItem = "c" + EavReader.ATTR_ID + " = " + attribute.attrId();
        String value = attribute.type() == LakeType.BOOLEAN ? valueColumn(attribute) + " = 1" : valueColumn(attribute);
        return "CASE WHEN count(*) FILTER (" + isItem + ") > 0 THEN coalesce(list(" + value + " ORDER BY c"
                + EavReader.ITEM_ORDER + ", c" + EavReader.ITEM_SUB_ORDER + ") FILTER (" + isItem + " AND NOT c"
                + EavReader.EMPTY_MARKER + "), []::" + attribute.type().sql() + "[]) END";
    }

    private static String valueColumn(EavAttribute attribute) {
        return "c"
                + switch (attribute.type()) {
                    case VARCHAR -> EavReader.TEXT;
                    case DOUBLE -> EavReader.DOUBLE;
                    default -> EavReader.LONG;
                };
    }

    /** There is no cast that takes two signed halves as they are. */
    private String uuid(int column) {
        String high = "h.c" + column;
        String low = "h.c" + (column + 1);
        return origin == Origin.RELATIONS
                ? high
                : "((" + high + " & " + UNSIGNED_64 + ")::UHUGEINT << 64 | (" + low + " & " + UNSIGNED_64
                        + ")::UHUGEINT)::UUID";
    }

    /** DuckDB type by column, in the order of the file. */
    Map<String, String> columns() {
        Map<String, String> columns = new LinkedHashMap<>();
        List<String> system = SchemaAttributes.SYSTEM_COLUMNS;
        for (String column : system) {
            columns.put(column, column.equals("schema_id") ? "SMALLINT" : column.equals("row_id") ? "UUID" : "BIGINT");
        }
        projection.hot().forEach(c -> columns.put(c.target(), c.targetType().sql()));
        if (projection.generic()) {
            columns.put(
                    "attributes",
                    "STRUCT(attr_id SMALLINT, array_indices VARCHAR, value_text VARCHAR, value_numeric DOUBLE)[]");
        }
        projection.eav().forEach(a -> columns.put(a.target(), a.type().sql() + (a.isList() ? "[]" : "")));
        return columns;
    }

    private String fieldIds() {
        StringBuilder sql = new StringBuilder();
        List<String> system = SchemaAttributes.SYSTEM_COLUMNS;
        for (int i = 0; i < system.size(); i++) {
            sql.append(i == 0 ? "" : ", ").append(system.get(i)).append(": ").append(i + 1);
        }
        projection
                .hot()
                .forEach(c -> sql.append(", ")
                        .append(TableName.quote(c.target()))
                        .append(": ")
                        .append(c.fieldId()));
        if (projection.generic()) {
            int list = Projection.GENERIC_LIST_FIELD_ID;
            sql.append(", attributes: {__duckdb_field_id: ").append(list);
            sql.append(", element: {__duckdb_field_id: ").append(list + 1);
            sql.append(", attr_id: ")
                    .append(list + 2)
                    .append(", array_indices: ")
                    .append(list + 3);
            sql.append(", value_text: ")
                    .append(list + 4)
                    .append(", value_numeric: ")
                    .append(list + 5);
            sql.append("}}");
        }
        for (EavAttribute a : projection.eav()) {
            int id = Projection.ATTRIBUTE_FIELD_ID + a.attrId();
            sql.append(", ").append(TableName.quote(a.target())).append(": ");
            sql.append(
                    a.isList()
                            ? "{__duckdb_field_id: " + id + ", element: " + (Projection.LIST_ITEM_FIELD_ID + a.attrId())
                                    + "}"
                            : String.valueOf(id));
        }
        return sql.toString();
    }

    /** A string literal. */
    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
