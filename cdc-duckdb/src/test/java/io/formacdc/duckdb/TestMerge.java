package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A merge of schema 7, and a DuckDB that makes its sources and looks at its results. */
final class TestMerge implements AutoCloseable {
    static final int SCHEMA = 7;

    /** The system columns of a source, of rows of {@code n, changed_at, deleted_at}. */
    static final String SYSTEM = "7::SMALLINT AS schema_id, lpad(hex(n), 32, '0')::UUID AS row_id,"
            + " changed_at::BIGINT AS changed_at, deleted_at::BIGINT AS deleted_at, 1::BIGINT AS ltbase_created_at,"
            + " changed_at::BIGINT AS ltbase_updated_at, NULL::BIGINT AS ltbase_deleted_at";

    final Merge merge;
    final Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
    private int files;

    TestMerge(CdcConfig config) throws SQLException {
        merge = new DuckMerger(config).open(SCHEMA);
    }

    static CdcConfigBuilder config(Path spill) {
        return CdcConfig.builder()
                .duckThreads(2)
                .duckMemLimit("512MB")
                .spillDirectory(spill.toString())
                .build()
                .withDefaults()
                .toBuilder();
    }

    /** The n-th row id. */
    static UUID id(long n) {
        return new UUID(0, n);
    }

    static RowIdInterval interval(@Nullable Long after, @Nullable Long upTo) {
        return new RowIdInterval(after == null ? null : id(after), upTo == null ? null : id(upTo));
    }

    /** A file of the rows that a query yields. */
    Source query(String key, String query, String fieldIds) throws SQLException {
        Path file = merge.folder().resolve("it's " + files++ + ".parquet");
        sql("COPY (" + query + ") TO " + ExportSql.literal(file.toString()) + " (FORMAT PARQUET, FIELD_IDS {" + fieldIds
                + "})");
        return new Source(key, file);
    }

    /** A file with a further column {@code v}, of rows of {@code n, changed_at, deleted_at, v}. */
    Source file(String key, String... rows) throws SQLException {
        String values = rows.length == 0 ? "(0, 0, 0, '')" : "(" + String.join("), (", rows) + ")";
        return query(
                key,
                "SELECT " + SYSTEM + ", v::VARCHAR AS v FROM (VALUES " + values + ") t(n, changed_at, deleted_at, v)"
                        + (rows.length == 0 ? " WHERE false" : ""),
                "");
    }

    Source loose(String key, String... rows) throws SQLException {
        Source source = file(key, rows);
        merge.addLoose(source);
        return source;
    }

    void sql(String sql) throws SQLException {
        try (Statement statement = duckDb.createStatement()) {
            statement.execute(sql);
        }
    }

    List<LocalFile> writeBase(RowIdInterval interval, int count, Source... bases) {
        return merge.writeBase(interval, List.of(bases), count, rows -> {});
    }

    LocalFile writeBase(Source... bases) {
        List<LocalFile> written = writeBase(RowIdInterval.ALL, 1, bases);
        assertThat(written).hasSize(1);
        return written.get(0);
    }

    /** Rows of a written file as text, in row-id order. */
    List<List<@Nullable String>> rows(String columns, LocalFile file) throws SQLException {
        return TestHost.rows(duckDb, "SELECT " + columns + " FROM " + from(file) + " ORDER BY row_id");
    }

    /** Version and {@code v} of each row, as in {@code 2@9 text}. */
    List<String> versions(LocalFile file) throws SQLException {
        List<String> versions = new ArrayList<>();
        for (List<@Nullable String> row :
                rows("('0x' || right(row_id::VARCHAR, 8))::BIGINT, changed_at, deleted_at, v", file)) {
            versions.add(row.get(0) + "@" + row.get(1) + ("0".equals(row.get(2)) ? "" : "-" + row.get(2)) + " "
                    + row.get(3));
        }
        return versions;
    }

    Map<String, String> columns(LocalFile file) throws SQLException {
        Map<String, String> columns = new LinkedHashMap<>();
        for (List<@Nullable String> row : TestHost.rows(duckDb, "DESCRIBE FROM " + from(file))) {
            columns.put(String.valueOf(row.get(0)), String.valueOf(row.get(1)));
        }
        return columns;
    }

    /** As in {@code name 5}; only those that are there. */
    List<String> fieldIds(LocalFile file) throws SQLException {
        List<String> ids = new ArrayList<>();
        for (List<@Nullable String> row : TestHost.rows(
                duckDb,
                "SELECT name, field_id FROM parquet_schema("
                        + ExportSql.literal(file.path().toString())
                        + ") WHERE field_id IS NOT NULL ORDER BY column_id")) {
            ids.add(row.get(0) + " " + row.get(1));
        }
        return ids;
    }

    static String from(LocalFile file) {
        return "read_parquet(" + ExportSql.literal(file.path().toString()) + ")";
    }

    /** Names of the files in the merge's folder that are not sources. */
    List<String> written() throws IOException {
        try (Stream<Path> all = Files.list(merge.folder())) {
            return all.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(".parquet") && !name.startsWith("it's "))
                    .toList();
        }
    }

    @Override
    public void close() throws SQLException {
        duckDb.close();
        merge.close();
    }
}
