package io.formacdc.examples.benchmarks;

import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.util.List;
import java.util.Map;

/** Peak memory of a pass must not follow the number of rows. */
record MemoryBench() implements Bench {
    /** The default: enough that DuckDB holds back nowhere. */
    static final String DUCK_MEMORY = "4GB";

    private static final int TIMES = 8;
    private static final double MARK = 1.2;

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String subject() {
        return "peak memory of runOnce of 8 x W1, -Xmx256m (times are of one run each)";
    }

    @Override
    public String reference() {
        return "peak memory of runOnce of W1";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload one = stage.workload();
        Workload eight = new Workload(one.schemaId(), one.rows() * TIMES);
        Child.Outcome small = flush(stage, one);
        Child.Outcome large = flush(stage, eight);
        stage.drop(eight);
        return List.of(new Figure(
                        name(),
                        (double) large.peakBytes() / small.peakBytes(),
                        MARK,
                        large.millis(),
                        small.millis(),
                        eight.rows(),
                        Map.of())
                .with("ours_peak_mb", large.peakBytes() / 1_000_000)
                .with("reference_peak_mb", small.peakBytes() / 1_000_000));
    }

    static Child.Outcome flush(Stage stage, Workload work) throws Exception {
        LocalPostgres database = stage.database(work);
        try (Connection connection = database.dataSource().getConnection()) {
            work.makeDirty(connection);
        }
        Child.Outcome outcome = Child.run(
                stage,
                Child.Work.FLUSH,
                database,
                stage.newFolder(),
                DUCK_MEMORY,
                LakeOnDisk.megabytes(work, CompactionBench.BASE_FILES));
        Check.equal(work.rows(), outcome.rows(), "rows flushed");
        return outcome;
    }
}
