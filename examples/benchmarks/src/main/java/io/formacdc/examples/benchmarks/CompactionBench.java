package io.formacdc.examples.benchmarks;

import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.duckdb.Cdc;
import io.formacdc.duckdb.LakeView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a compaction costs where somewhat more than one row in a hundred has changed, all of them in the newest tenth. */
record CompactionBench() implements Bench {
    private static final double TIME_MARK = 1 / 6.0;
    private static final double BYTES_MARK = 0.15;
    static final int BASE_FILES = 20;

    @Override
    public String name() {
        return "compaction";
    }

    @Override
    public String subject() {
        return "compaction of W1, every ninth row of the newest tenth changed";
    }

    @Override
    public String reference() {
        return "rewriting everything, one merge of all files in the order of row ids, as a base is";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LakeOnDisk lake = LakeOnDisk.create(stage, work, LakeOnDisk.megabytes(work, BASE_FILES), changedRows(work));
        Path target = stage.newFolder().resolve("all.parquet");
        Compaction ours = new Compaction(stage, work, lake);
        Alternation.Medians medians =
                Alternation.USUAL.measure(ours, () -> rewrite(lake.files(work.schemaId()), target));
        return List.of(
                Figure.of(name(), TIME_MARK, medians, work.rows()),
                new Figure(
                                "compaction-bytes",
                                (double) ours.bytesWritten / Files.size(target),
                                BYTES_MARK,
                                medians.oursMillis(),
                                medians.referenceMillis(),
                                work.rows(),
                                Map.of())
                        .with("ours_bytes", ours.bytesWritten)
                        .with("reference_bytes", Files.size(target)));
    }

    /** One percent of all rows, and a ninth of the newest tenth: a condition on {@code entity_main}. */
    static String changedRows(Workload work) {
        return "integer_01 > " + (work.rows() - work.rows() / 10) + " AND integer_01 % 9 = 0";
    }

    private static void rewrite(List<String> files, Path target) throws Exception {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("SET threads = 4");
            statement.execute("COPY (" + LakeView.sql(files, null) + " ORDER BY row_id) TO '" + target
                    + "' (FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION ZSTD, COMPRESSION_LEVEL 3)");
        }
    }

    private static final class Compaction implements Alternation.Task {
        private final Stage stage;
        private final Workload work;
        private final LakeOnDisk lake;
        private LakeOnDisk copy;
        private long bytesWritten;

        Compaction(Stage stage, Workload work, LakeOnDisk lake) {
            this.stage = stage;
            this.work = work;
            this.lake = lake;
            this.copy = lake;
        }

        @Override
        public void prepare() throws Exception {
            copy = lake.copyTo(stage.newFolder());
        }

        @Override
        public void run() {
            CompactionConfig compaction = CompactionConfig.builder()
                    .targetBaseSizeMb(LakeOnDisk.megabytes(work, BASE_FILES))
                    .dirtyRatioPct(1)
                    .build();
            SchemaCompaction done = Cdc.compact(copy.config(), compaction, new FolderS3(copy.folder(), Duration.ZERO))
                    .schema(work.schemaId())
                    .orElseThrow();
            if (done.outcome() != Outcome.COMPACTED) {
                throw new IllegalStateException("the compaction did not compact: " + done);
            }
            bytesWritten = done.bytesWritten();
        }
    }
}
