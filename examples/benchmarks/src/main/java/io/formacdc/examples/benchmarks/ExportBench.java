package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.duckdb.DuckExporter;
import io.formacdc.examples.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.UUID;

/** The export of the standard work alone, to one file in a local folder, against other ways to the same file. */
record ExportBench(String name, String reference, double mark, Reference other) implements Bench {
    /** Makes the reference's task. */
    interface Reference {
        ReferenceTask open(Stage stage, Workload work, LocalPostgres database) throws Exception;

        default boolean isRunnable(Stage stage) {
            return true;
        }
    }

    interface ReferenceTask extends Alternation.Task, AutoCloseable {
        @Override
        void close() throws Exception;
    }

    static ExportBench againstDrain() {
        return new ExportBench(
                "export", "drain of the three COPYs, one after another", 0.8, (stage, work, database) -> {
                    Connection connection = database.dataSource().getConnection();
                    return new ReferenceTask() {
                        @Override
                        public void run() throws Exception {
                            CopyDrain.ofDirtyRows(connection, work.schemaId());
                        }

                        @Override
                        public void close() throws Exception {
                            connection.close();
                        }
                    };
                });
    }

    static ExportBench againstParquetJava() {
        return new ExportBench(
                "export-parquet-java",
                "plain JDBC to parquet-java, one thread",
                1 / 4.0,
                new ReferenceProcess("parquet-java"));
    }

    static ExportBench againstAppender() {
        return new ExportBench(
                "export-appender", "JDBC to DuckDB's Appender to COPY", 1 / 2.5, new ReferenceProcess("appender"));
    }

    static ExportBench againstSpark() {
        return new ExportBench(
                "export-spark", "Spark local[2], its jdbc source to Parquet", 1 / 3.0, new ReferenceProcess("spark"));
    }

    @Override
    public String subject() {
        return "exportSnapshotToTmp of W1 to a local file";
    }

    @Override
    public boolean isRunnable(Stage stage) {
        return other.isRunnable(stage);
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LocalPostgres database = stage.database(work);
        CdcConfig config = stage.config(database).build();
        String connectionString = database.jdbcUrl() + "?user=" + database.user() + "&password=" + database.password();
        Path target = stage.newFolder().resolve("export.parquet");
        try (Connection connection = database.dataSource().getConnection();
                DuckExporter exporter = DuckExporter.open(config, stage.newStore())) {
            work.makeDirty(connection);
            List<UUID> ids = work.rowIds(connection);
            Alternation.Task ours = () -> Check.equal(
                    work.rows(),
                    exporter.exportSnapshotToTmp(
                                    connectionString,
                                    target.toString(),
                                    work.schemaId(),
                                    Long.MAX_VALUE,
                                    ids,
                                    Workload.REGISTRY
                                            .findAttributes(work.schemaId())
                                            .orElseThrow())
                            .rowCount(),
                    "rows exported");
            try (ReferenceTask task = other.open(stage, work, database)) {
                Alternation.Medians medians = Alternation.USUAL.measure(ours, task);
                return List.of(Figure.of(name, mark, medians, work.rows()).with("file_bytes", Files.size(target)));
            }
        }
    }
}
