package io.formacdc.duckdb;

import io.formacdc.core.ValueType;

/** The Parquet column types of contract section 4, by their names in DuckDB's SQL. */
enum LakeType {
    VARCHAR("VARCHAR"),
    SMALLINT("SMALLINT"),
    INTEGER("INTEGER"),
    BIGINT("BIGINT"),
    DOUBLE("DOUBLE"),
    BOOLEAN("BOOLEAN"),
    UUID("UUID"),
    EPOCH_MILLIS("BIGINT");

    private final String sql;

    LakeType(String sql) {
        this.sql = sql;
    }

    String sql() {
        return sql;
    }

    /** The column of an attribute that is bound to a hot column. */
    static LakeType ofBound(ValueType type) {
        return switch (type) {
            case TEXT, UNKNOWN -> VARCHAR;
            case SMALLINT -> SMALLINT;
            case INTEGER -> INTEGER;
            case BIGINT -> BIGINT;
            case NUMERIC -> DOUBLE;
            case DATE, DATETIME -> EPOCH_MILLIS;
            case UUID -> UUID;
            case BOOL -> BOOLEAN;
            case LIST -> throw new IllegalArgumentException("a list is never bound to a hot column");
        };
    }

    /**
     * The column, or the list item, of an attribute in {@code eav_data}. Small integers are DOUBLE there, because
     * {@code value_numeric} has always taken values beyond the declared width.
     */
    static LakeType ofEav(ValueType type) {
        return switch (type) {
            case TEXT, UNKNOWN, UUID -> VARCHAR;
            case SMALLINT, INTEGER, NUMERIC -> DOUBLE;
            case BIGINT -> BIGINT;
            case DATE, DATETIME -> EPOCH_MILLIS;
            case BOOL -> BOOLEAN;
            case LIST -> throw new IllegalArgumentException("a list holds no lists");
        };
    }
}
