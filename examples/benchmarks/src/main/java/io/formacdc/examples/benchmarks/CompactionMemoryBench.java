package io.formacdc.examples.benchmarks;

import io.formacdc.core.FileContents;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.UuidV7;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ObjectStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A compaction of ten times the memory that DuckDB may have, in a process of its own. */
record CompactionMemoryBench() implements Bench {
    private static final int LIMIT_MEGABYTES = 128;
    private static final int BESIDE_MEGABYTES = 400;
    private static final int ROW_BYTES = 110;
    private static final int FILES = 8;
    private static final int FILE_MEGABYTES = 128;

    @Override
    public String name() {
        return "compaction-memory";
    }

    @Override
    public String subject() {
        return "peak memory of a compaction of 10 x duckMemLimit (" + LIMIT_MEGABYTES + " MB)";
    }

    @Override
    public String reference() {
        return "the limit and " + BESIDE_MEGABYTES + " MB";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        int rows = stage.settings().scaled(LIMIT_MEGABYTES * 10 * 1_000_000 / ROW_BYTES);
        Path folder = stage.newFolder();
        generate(folder, rows, stage);
        LocalPostgres unused = stage.newDatabase();
        Child.Outcome outcome =
                Child.run(stage, Child.Work.COMPACT, unused, folder, LIMIT_MEGABYTES + "MB", FILE_MEGABYTES);
        unused.close();
        double allowed = (LIMIT_MEGABYTES + BESIDE_MEGABYTES) * 1e6;
        return List.of(
                new Figure(name(), outcome.peakBytes() / allowed, 1, outcome.millis(), outcome.millis(), rows, Map.of())
                        .with("ours_peak_mb", outcome.peakBytes() / 1_000_000)
                        .with("bytes_written", outcome.rows()));
    }

    /** Deltas whose rows lie anywhere among those of the others, every tenth of them twice. */
    private static void generate(Path folder, int rows, Stage stage) throws Exception {
        S3ObjectStore objects = new S3ObjectStore(new FolderS3(folder, Duration.ZERO), "benchmark");
        ManifestStore manifests = new ManifestStore(
                objects,
                new ManifestConfig("benchmark", "lake", ""),
                ManifestStoreOptions.of(
                        io.formacdc.core.CdcConfig.builder().build().withDefaults()));
        FileLog.Appender appender = new ManifestFileLog(manifests).open(Workload.SCHEMA_ID);
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("SET preserve_insertion_order = false");
            for (int file = 0; file < FILES; file++) {
                Path local = stage.newFolder().resolve("delta.parquet");
                statement.execute("COPY (SELECT " + Workload.SCHEMA_ID + "::SMALLINT AS schema_id,"
                        + " md5('r' || (i * " + FILES + " + CASE WHEN i % 10 = 0 THEN 0 ELSE " + file
                        + " END))::UUID AS row_id, (1 + " + file + ")::BIGINT AS changed_at, 0::BIGINT AS deleted_at,"
                        + " i AS ltbase_created_at, i AS ltbase_updated_at, NULL::BIGINT AS ltbase_deleted_at,"
                        + " md5(i::VARCHAR) || left(md5(i::VARCHAR), 20) AS note FROM range(0, " + rows / FILES
                        + ") t(i)) TO '" + local
                        + "' (FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION ZSTD, ROW_GROUP_SIZE_BYTES '64MB')");
                String key = "data/" + Workload.SCHEMA_ID + "/" + UuidV7.next() + ".parquet";
                objects.put(key, local);
                appender.append(new FlushedFile(key, contents(statement, local)));
                Files.delete(local);
            }
        }
    }

    private static FileContents contents(Statement statement, Path file) throws Exception {
        Map<String, String> columns = new LinkedHashMap<>();
        try (ResultSet result = statement.executeQuery("DESCRIBE FROM '" + file + "'")) {
            while (result.next()) {
                columns.put(result.getString(1), result.getString(2));
            }
        }
        try (ResultSet result = statement.executeQuery("SELECT count(*), min(row_id)::VARCHAR, max(row_id)::VARCHAR,"
                + " min(changed_at), max(changed_at) FROM '" + file + "'")) {
            result.next();
            return new FileContents(
                    result.getLong(1),
                    Files.size(file),
                    FileContents.checksumOf(file),
                    new FileContents.RowIdRange(
                            UUID.fromString(result.getString(2)), UUID.fromString(result.getString(3))),
                    new FileContents.VersionRange(result.getLong(4), result.getLong(5)),
                    columns);
        }
    }
}
