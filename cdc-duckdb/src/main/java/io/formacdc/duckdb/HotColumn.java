package io.formacdc.duckdb;

/**
 * A hot column on its way from {@code entity_main} to Parquet.
 *
 * @param name the attribute's own name; without metadata that of the column
 * @param source column in PostgreSQL
 * @param sourceType how it arrives; OTHER is cast to text by the query
 * @param target column in Parquet
 * @param targetType its type
 * @param fieldId its Parquet field id
 */
record HotColumn(String name, String source, PgType sourceType, String target, LakeType targetType, int fieldId) {
    /** Read as text where the text itself is wanted, or where the type has no binary decoder. */
    boolean castToText() {
        return sourceType == PgType.OTHER || (targetType == LakeType.VARCHAR && sourceType != PgType.TEXT);
    }

    /** The type as it arrives. */
    PgType wireType() {
        return castToText() ? PgType.TEXT : sourceType;
    }
}
