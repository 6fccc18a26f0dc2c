package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a COPY to a Parquet file wrote, as DuckDB tells it.
 *
 * @param target a local path, or {@code s3://bucket/key}
 * @param rowIds null when there is no row
 * @param versions null when there is no row
 */
record ParquetCopy(
        String target,
        long rowCount,
        long sizeBytes,
        @Nullable RowIdRange rowIds,
        @Nullable VersionRange versions) {

    /**
     * The end of a COPY, from {@code TO} on, in the format of contract section 4. The statement yields one row for {@link
     * #read}; if it fails, the file may be there in part.
     *
     * @param rowGroupSize as in {@code 64MB}
     * @param fieldIds a list for {@code FIELD_IDS}
     */
    static String to(String target, CdcConfig config, String rowGroupSize, String fieldIds) {
        return "TO " + ExportSql.literal(target) + " (FORMAT PARQUET, PARQUET_VERSION V2, " + codec(config)
                + ", ROW_GROUP_SIZE_BYTES '" + rowGroupSize + "', FIELD_IDS {" + fieldIds
                + "}, USE_TMP_FILE false, RETURN_STATS)";
    }

    private static String codec(CdcConfig config) {
        String name = config.parquetCompression().toUpperCase(Locale.ROOT);
        return "COMPRESSION " + name
                + (name.equals("ZSTD") ? ", COMPRESSION_LEVEL " + config.parquetCompressionLevel() : "");
    }

    /** Where the file is, if it is a local one. */
    Path file() {
        return Path.of(target);
    }

    /** Takes the statement's row. */
    static ParquetCopy read(ResultSet stats, String target) throws SQLException {
        stats.next();
        long rowCount = stats.getLong("count");
        long sizeBytes = stats.getLong("file_size_bytes");
        if (rowCount == 0) {
            return new ParquetCopy(target, 0, sizeBytes, null, null);
        }
        Map<?, ?> byColumn = (Map<?, ?>) stats.getObject("column_statistics");
        return new ParquetCopy(
                target,
                rowCount,
                sizeBytes,
                new RowIdRange(
                        UUID.fromString(statistic(byColumn, "row_id", "min")),
                        UUID.fromString(statistic(byColumn, "row_id", "max"))),
                new VersionRange(
                        Long.parseLong(statistic(byColumn, "changed_at", "min")),
                        Long.parseLong(statistic(byColumn, "changed_at", "max"))));
    }

    /** The same with the checksum, for which the file is read once. */
    FileContents contents(Map<String, String> columns) {
        return new FileContents(rowCount, sizeBytes, FileContents.checksumOf(file()), rowIds, versions, columns);
    }

    /** The same of a file that is not read back. */
    FileContents contentsUnread(Map<String, String> columns) {
        return new FileContents(rowCount, sizeBytes, null, rowIds, versions, columns);
    }

    private static String statistic(Map<?, ?> byColumn, String column, String name) {
        Object value = byColumn.get("\"" + column + "\"") instanceof Map<?, ?> ofColumn ? ofColumn.get(name) : null;
        if (value == null) {
            throw new CdcException("DuckDB gave no " + name + " of " + column);
        }
        return value.toString();
    }

    /** Deletes what a failed COPY may have left. */
    static void deleteAfter(Throwable failure, Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
