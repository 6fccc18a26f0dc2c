package io.formacdc.duckdb;

/**
 * DuckDB's SQL from a value as PostgreSQL has it to the type of its column, by the rules of {@link PgValue}; NULL for what
 * does not fit. NUMERIC arrives as text.
 */
final class ConversionSql {
    private static final String CANONICAL_UUID =
            "'[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'";

    private ConversionSql() {}

    static String of(PgType from, LakeType to, String value) {
        return switch (to) {
            case VARCHAR -> value;
            case DOUBLE -> toDouble(from, value);
            case BOOLEAN -> toBoolean(from, value);
            case UUID -> toUuid(from, value);
            case EPOCH_MILLIS -> toEpochMillis(from, value);
            case BIGINT -> toLong(from, value);
            case INTEGER, SMALLINT -> "TRY_CAST(" + toLong(from, value) + " AS " + to.sql() + ")";
        };
    }

    private static String toLong(PgType from, String value) {
        return switch (from) {
            case INT2, INT4, INT8, BOOL -> value + "::BIGINT";
            case FLOAT4, FLOAT8 -> integer(value + "::DOUBLE");
            case NUMERIC, TEXT, OTHER -> TextFunctions.TO_LONG.of(value);
            case UUID -> "NULL::BIGINT";
        };
    }

    private static String toDouble(PgType from, String value) {
        return switch (from) {
            case INT2, INT4, INT8, BOOL, FLOAT4, FLOAT8 -> value + "::DOUBLE";
            case NUMERIC, TEXT, OTHER -> TextFunctions.TO_DOUBLE.of(value);
            case UUID -> "NULL::DOUBLE";
        };
    }

    private static String toEpochMillis(PgType from, String value) {
        return switch (from) {
            case FLOAT4, FLOAT8 -> integer("floor(" + value + "::DOUBLE)");
            case NUMERIC -> TextFunctions.NUMERIC_FLOOR.of(value);
            case TEXT, OTHER -> TextFunctions.DATE_TO_MILLIS.of(value);
            default -> toLong(from, value);
        };
    }

    private static String toBoolean(PgType from, String value) {
        return switch (from) {
            case BOOL -> value;
            // To DuckDB too, NaN is the greatest number.
            case INT2, INT4, INT8, FLOAT4, FLOAT8 -> "(" + value + "::DOUBLE > 0.5)";
            case NUMERIC -> "(" + TextFunctions.NUMERIC_IS_TRUE.of(value) + " = 1)";
            case TEXT, OTHER -> "(" + value + " IN ('1', 'true'))";
            case UUID -> "NULL::BOOLEAN";
        };
    }

    private static String toUuid(PgType from, String value) {
        return switch (from) {
            case UUID -> value + "::UUID";
            case TEXT, OTHER ->
                "CASE WHEN regexp_full_match(" + value + ", " + CANONICAL_UUID + ") THEN " + value + "::UUID END";
            default -> "NULL::UUID";
        };
    }

    private static String integer(String number) {
        return "CASE WHEN " + number + " = trunc(" + number + ") AND " + number
                + " >= -9.223372036854775808e18 AND " + number + " < 9.223372036854775808e18 THEN " + number
                + "::BIGINT END";
    }
}
