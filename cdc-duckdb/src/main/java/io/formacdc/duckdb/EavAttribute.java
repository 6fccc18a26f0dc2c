package io.formacdc.duckdb;

/**
 * An attribute kept in {@code eav_data}, on its way to Parquet.
 *
 * @param attrId {@code attr_id} of its rows
 * @param name the attribute's own name
 * @param target column in Parquet
 * @param type type of the column, or of the items if it is a list
 * @param isList whether its rows are the items of a list
 */
record EavAttribute(int attrId, String name, String target, LakeType type, boolean isList) {}
