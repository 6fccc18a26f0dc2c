package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.s3.S3Access;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of an export by DuckDB's own extensions. All rows come from PostgreSQL by <em>one</em> statement, which is one
 * instant: entities and EAV rows one below the other, and with each entity the version and the {@code xmin} of its dirty
 * row. DuckDB keeps them in a table until the file is written and the versions are read, because a second statement
 * would see another instant. Immutable; secrets are in the text of {@link #createSecret} and {@link #attach} alone.
 *
 * @param rowIds PostgreSQL's text for an array of the ids that {@code queries} calls {@link #GIVEN_IDS}; null if it
 *     does not
 */
record ExtensionSql(
        int schemaId,
        Projection projection,
        PgQueries queries,
        RowIdInterval interval,
        CdcConfig config,
        @Nullable String rowIds) {
    /** Selects the given ids; their text, which grows with their number, is in the statement once. */
    static final String GIVEN_IDS = "SELECT id FROM forma_cdc_given";

    private static final String POSTGRES = "forma_cdc_postgres";
    private static final String SECRET = "forma_cdc_s3";
    private static final String ROWS = "forma_cdc_rows";
    private static final List<String> SYSTEM = List.of(
            "row_id",
            "changed_at",
            "deleted_at",
            "xmin",
            "ltbase_created_at",
            "ltbase_updated_at",
            "ltbase_deleted_at");
    private static final List<String> EAV = List.of("attr_id", "array_indices", "value_text", "value_numeric");

    /** Valid for the bucket alone, and for this session. */
    static String createSecret(S3Access s3) {
        return "CREATE SECRET " + SECRET + " (TYPE s3, PROVIDER config, SCOPE "
                + ExportSql.literal("s3://" + s3.bucket())
                + ", KEY_ID " + ExportSql.literal(s3.accessKey()) + ", SECRET " + ExportSql.literal(s3.secretKey())
                + (s3.sessionToken().isEmpty() ? "" : ", SESSION_TOKEN " + ExportSql.literal(s3.sessionToken()))
                + ", REGION " + ExportSql.literal(s3.region())
                + (s3.endpoint().isEmpty() ? "" : ", ENDPOINT " + ExportSql.literal(s3.endpoint()))
                + ", URL_STYLE " + (s3.usesPath() ? "'path'" : "'vhost'") + ", USE_SSL " + s3.usesSsl() + ")";
    }

    static String dropSecret() {
        return "DROP SECRET IF EXISTS " + SECRET;
    }

    static String attach(PgDsn dsn) {
        return "ATTACH " + ExportSql.literal(dsn.text()) + " AS " + POSTGRES + " (TYPE postgres, READ_ONLY)";
    }

    static String detach() {
        return "DETACH DATABASE IF EXISTS " + POSTGRES;
    }

    /** Reads the rows. */
    String readRows() {
        return "CREATE TEMP TABLE " + ROWS + " AS SELECT " + stagedColumns() + " FROM postgres_query('" + POSTGRES
                + "', " + ExportSql.literal(postgres()) + ")";
    }

    static String dropRows() {
        return "DROP TABLE IF EXISTS " + ROWS;
    }

    /** PostgreSQL's statement. Types are those that the extension takes over as they are. */
    String postgres() {
        List<HotColumn> hot = projection.hot();
        StringBuilder sql = new StringBuilder();
        if (rowIds != null) {
            sql.append("WITH forma_cdc_given AS MATERIALIZED (SELECT unnest(")
                    .append(ExportSql.literal(rowIds))
                    .append("::uuid[]) AS id) ");
        }
        sql.append("SELECT h.c0 AS row_id, h.c1 AS changed_at, h.c2 AS deleted_at, h.c3::text::bigint AS xmin,"
                + " h.c4 AS ltbase_created_at, h.c5 AS ltbase_updated_at, h.c6 AS ltbase_deleted_at");
        for (int i = 0; i < hot.size(); i++) {
            String column = "h.c" + (SYSTEM.size() + i);
            sql.append(", ")
                    .append(column)
                    .append(isText(hot.get(i)) ? "::text" : "")
                    .append(" AS h")
                    .append(i);
        }
        if (projection.readsEav()) {
            sql.append(", NULL::smallint AS attr_id, NULL::text AS array_indices, NULL::text AS value_text, NULL::")
                    .append(sqlType(projection.valueNumericType()))
                    .append(" AS value_numeric");
        }
        sql.append(" FROM (").append(queries.entities(projection, interval)).append(") h(");
        sql.append(columns("c", SYSTEM.size() + hot.size())).append(')');
        if (projection.readsEav()) {
            sql.append(" UNION ALL SELECT e.c0");
            sql.append(", NULL::bigint".repeat(SYSTEM.size() - 1));
            hot.forEach(column -> sql.append(", NULL::").append(sqlType(column.wireType())));
            sql.append(", e.c1, e.c2, e.c3, e.c4::")
                    .append(sqlType(projection.valueNumericType()))
                    .append(" FROM (")
                    .append(queries.eav(EavTuple.Indices.READ, interval))
                    .append(") e(")
                    .append(columns("c", EAV.size() + 1))
                    .append(')');
        }
        return sql.toString();
    }

    /** NUMERIC too: DuckDB would make a double of it. */
    private static boolean isText(HotColumn column) {
        return sqlType(column.wireType()).equals("text");
    }

    private static String sqlType(PgType type) {
        return switch (type) {
            case INT2 -> "smallint";
            case INT4 -> "integer";
            case INT8 -> "bigint";
            case FLOAT4 -> "real";
            case FLOAT8 -> "double precision";
            case UUID -> "uuid";
            case BOOL -> "boolean";
            case TEXT, NUMERIC, OTHER -> "text";
        };
    }

    private String stagedColumns() {
        List<String> names = new ArrayList<>(SYSTEM.subList(1, SYSTEM.size()));
        IntStream.range(0, projection.hot().size()).forEach(i -> names.add("h" + i));
        if (projection.readsEav()) {
            names.addAll(EAV);
        }
        return "row_id::UUID AS row_id, " + String.join(", ", names);
    }

    private static String columns(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.joining(", "));
    }

    /** Writes the file, by a COPY that can be ended early; the statement yields one row of statistics. */
    String copyTo(String target, Wanted wanted) {
        return new ExportSql(schemaId, projection, config, ExportSql.Origin.RELATIONS)
                .copyTo(target, "(" + entities() + " AND " + wanted.condition("changed_at") + ")", "(" + eav() + ")");
    }

    private String isEntity() {
        return projection.readsEav() ? " WHERE attr_id IS NULL" : " WHERE true";
    }

    private String entities() {
        StringBuilder sql = new StringBuilder("SELECT row_id AS c0, 0 AS c1, changed_at AS c2,"
                + " greatest(0, coalesce(deleted_at, 0)) AS c3, ltbase_created_at AS c4, ltbase_updated_at AS c5,"
                + " ltbase_deleted_at AS c6");
        int column = EntityJoin.FIRST_HOT_COLUMN;
        for (int i = 0; i < projection.hot().size(); i++) {
            HotColumn hot = projection.hot().get(i);
            sql.append(", ").append(converted(i)).append(" AS c").append(column);
            column++;
            if (hot.targetType() == LakeType.UUID) {
                sql.append(", 0 AS c").append(column);
                column++;
            }
        }
        return sql + " FROM " + ROWS + isEntity();
    }

    private String converted(int hotColumn) {
        HotColumn hot = projection.hot().get(hotColumn);
        return ConversionSql.of(hot.wireType(), hot.targetType(), "h" + hotColumn);
    }

    private String eav() {
        String start = "SELECT row_id AS c0, 0 AS c1, attr_id AS c2, ";
        if (projection.generic()) {
            return start + "value_text AS c3, " + number(LakeType.DOUBLE)
                    + " AS c4, NULL AS c5, array_indices AS c6 FROM " + ROWS + " WHERE attr_id IS NOT NULL";
        }
        return start + ofTypes(List.of(LakeType.VARCHAR)) + " AS c3, " + ofTypes(List.of(LakeType.DOUBLE)) + " AS c4, "
                + ofTypes(List.of(LakeType.BOOLEAN, LakeType.EPOCH_MILLIS, LakeType.BIGINT)) + " AS c5, "
                + TextFunctions.ITEM_ORDER.of("array_indices") + " AS c6, "
                + TextFunctions.ITEM_SUB_ORDER.of("array_indices") + " AS c7,"
                + " array_indices = '' AND value_text IS NULL AND value_numeric IS NULL AS c8 FROM " + ROWS
                + " WHERE attr_id IN (" + attrIds(projection.eav()) + ")";
    }

    /** The value, if its attribute is of one of the types. */
    private String ofTypes(List<LakeType> types) {
        StringBuilder sql = new StringBuilder("CASE");
        for (LakeType type : types) {
            List<EavAttribute> attributes =
                    projection.eav().stream().filter(a -> a.type() == type).toList();
            if (!attributes.isEmpty()) {
                String value = type == LakeType.BOOLEAN ? number(type) + "::BIGINT" : eavValue(type);
                sql.append(" WHEN attr_id IN (")
                        .append(attrIds(attributes))
                        .append(") THEN ")
                        .append(value);
            }
        }
        String type = types.get(0) == LakeType.BOOLEAN ? "BIGINT" : types.get(0).sql();
        return sql.length() == "CASE".length() ? "NULL::" + type : sql + " END";
    }

    private String eavValue(LakeType type) {
        return type == LakeType.VARCHAR ? "value_text" : number(type);
    }

    private String number(LakeType type) {
        return ConversionSql.of(projection.valueNumericType(), type, "value_numeric");
    }

    private static String attrIds(List<EavAttribute> attributes) {
        return attributes.stream().map(a -> String.valueOf(a.attrId())).collect(Collectors.joining(", "));
    }

    /** The version of each row in the file: row_id, changed_at, xmin. */
    String versions() {
        return "SELECT row_id, changed_at, xmin FROM " + ROWS + isEntity();
    }

    /** How many values became NULL because they do not fit: one row, columns as {@link #lossyNames} names them. */
    String lossyCasts() {
        List<String> counts = new ArrayList<>();
        for (int i = 0; i < projection.hot().size(); i++) {
            counts.add(count("h" + i + " IS NOT NULL AND " + converted(i) + " IS NULL"));
        }
        if (projection.generic()) {
            counts.add(count("value_numeric IS NOT NULL AND " + number(LakeType.DOUBLE) + " IS NULL"));
        }
        for (EavAttribute attribute : projection.eav()) {
            counts.add(count("attr_id = " + attribute.attrId()
                    + " AND (value_text IS NOT NULL OR value_numeric IS NOT NULL) AND " + eavValue(attribute.type())
                    + " IS NULL"));
        }
        return counts.isEmpty() ? "SELECT 0" : "SELECT " + String.join(", ", counts) + " FROM " + ROWS;
    }

    private static String count(String condition) {
        return "count(*) FILTER (WHERE " + condition + ")";
    }

    /** Names of attributes, in the order of {@link #lossyCasts}. */
    List<String> lossyNames() {
        List<String> names = new ArrayList<>();
        projection.hot().forEach(column -> names.add(column.name()));
        if (projection.generic()) {
            names.add(EavReader.GENERIC);
        }
        projection.eav().forEach(attribute -> names.add(attribute.name()));
        return names;
    }
}
