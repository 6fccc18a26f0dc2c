package io.formacdc.duckdb;

import io.formacdc.core.FileContents;
import java.util.Map;

/**
 * What a Parquet file really holds.
 *
 * @param contents as a manifest lists it
 * @param foreignRows rows of another schema, or without row id or version
 * @param tombstones rows with {@code deleted_at > 0}
 * @param repeatedRows rows whose id another row of the file has
 */
record FileFacts(FileContents contents, long foreignRows, long tombstones, long repeatedRows) {
    /** Types that every file has, as {@link ExportSql} writes them. */
    static final Map<String, String> REQUIRED_COLUMNS =
            Map.of("schema_id", "SMALLINT", "row_id", "UUID", "changed_at", "BIGINT", "deleted_at", "BIGINT");
}
