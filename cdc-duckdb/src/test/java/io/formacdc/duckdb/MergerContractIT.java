package io.formacdc.duckdb;

import io.formacdc.core.Merger;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.MergerContract;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;

/** DuckDB merges as the fake does that crashes are tried on. */
class MergerContractIT extends MergerContract {
    @TempDir
    private Path folder;

    @Override
    protected Merger merger() {
        return new DuckMerger(TestMerge.config(folder).build());
    }

    @Override
    protected Source source(Merge ofMerge, String key, List<Row> rows) {
        Path file = ofMerge.folder().resolve(key + ".parquet");
        String values = rows.stream()
                .map(row -> "(" + row.n() + ", " + row.changedAt() + ", " + row.deletedAt() + ")")
                .collect(Collectors.joining(", "));
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("COPY (SELECT " + TestMerge.SYSTEM + " FROM (VALUES " + values
                    + ") t(n, changed_at, deleted_at)) TO " + ExportSql.literal(file.toString()) + " (FORMAT PARQUET)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return new Source(key, file);
    }

    @Override
    protected List<Row> read(LocalFile file) {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            return TestHost.rows(
                            duckDb,
                            "SELECT ('0x' || right(replace(row_id::VARCHAR, '-', ''), 8))::BIGINT, changed_at,"
                                    + " deleted_at FROM "
                                    + ExportSql.literal(file.path().toString()))
                    .stream()
                    .map(row -> row.stream()
                            .map(String::valueOf)
                            .map(Long::parseLong)
                            .toList())
                    .map(row -> new Row(row.get(0), row.get(1), row.get(2)))
                    .toList();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
