package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** A query over base and deltas, of which every twentieth row is newer than the base. */
record ViewBench() implements Bench {
    private static final double MARK = 2;

    @Override
    public String name() {
        return "view";
    }

    @Override
    public String subject() {
        return "aggregates over the merge-on-read view of W1, deltas of 5 %";
    }

    @Override
    public String reference() {
        return "the same over the same rows as one Parquet file";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LakeOnDisk lake = LakeOnDisk.create(
                stage, work, CdcConfig.builder().build().withDefaults().targetFileSizeMb(), "integer_01 % 20 = 0");
        String view = lake.view(work.schemaId());
        Path base = stage.newFolder().resolve("base.parquet");
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("COPY (" + view + " ORDER BY row_id) TO '" + base
                    + "' (FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION ZSTD, ROW_GROUP_SIZE 122880)");
            Alternation.Medians medians = new Alternation(2, 7)
                    .measure(
                            () -> query(statement, "(" + view + ")", work.rows()),
                            () -> query(statement, "read_parquet('" + base + "')", work.rows()));
            return List.of(Figure.of(name(), MARK, medians, work.rows()));
        }
    }

    /** The query over the view of a lake, by a DuckDB of its own; yields its rows. */
    static long rows(LakeOnDisk lake, int schemaId) throws SQLException {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            return rows(statement, "(" + lake.view(schemaId) + ")");
        }
    }

    private static void query(Statement statement, String from, long rows) throws SQLException {
        Check.equal(rows, rows(statement, from), "rows in the view");
    }

    private static long rows(Statement statement, String from) throws SQLException {
        try (ResultSet result = statement.executeQuery("SELECT count(*), count(DISTINCT a_text_03), sum(a_integer_02),"
                + " avg(a_double_01), max(a_text_01), sum(amount1), max(note2), min(a_bigint_01) FROM " + from)) {
            result.next();
            return result.getLong(1);
        }
    }
}
