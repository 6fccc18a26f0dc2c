package io.formacdc.core;

import java.util.Map;
import java.util.UUID;

/**
 * What is in a Parquet file.
 *
 * @param rowCount rows
 * @param sizeBytes length of the file
 * @param checksum {@code sha256:} and 64 hexadecimal digits, of the whole file
 * @param rowIds least and greatest row id; null when there is no row
 * @param versions least and greatest {@code changed_at}, epoch milliseconds; null when there is no row
 * @param columns DuckDB type by column name, in the order of the file
 */
public record FileContents(
        long rowCount,
        long sizeBytes,
        String checksum,
        @org.jspecify.annotations.Nullable RowIdRange rowIds,
        @org.jspecify.annotations.Nullable VersionRange versions,
        Map<String, String> columns) {

    public FileContents {
        columns = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(columns));
    }

    /** Both ends inclusive, in byte order. */
    public record RowIdRange(UUID min, UUID max) {}

    /** Both ends inclusive, epoch milliseconds. */
    public record VersionRange(long minMillis, long maxMillis) {}
}
