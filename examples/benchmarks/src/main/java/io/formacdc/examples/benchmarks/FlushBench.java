package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.util.List;
import java.util.function.UnaryOperator;

/** A whole pass over the standard work, from the lock to the last mark. */
record FlushBench(String name, String subject, UnaryOperator<CdcConfigBuilder> chunks) implements Bench {
    private static final double MARK = 0.9;

    /** As a host gets it that sets nothing: files of 10,000 rows. */
    static FlushBench byDefault() {
        return new FlushBench("flush", "runOnce of W1, files of 10,000 rows (the defaults)", config -> config);
    }

    static FlushBench inOneFile() {
        return new FlushBench("flush-one-file", "runOnce of W1, one file", FlushBench::oneFile);
    }

    static CdcConfigBuilder oneFile(CdcConfigBuilder config) {
        return config.batchSize(100_000_000).maxBatchBytes(1L << 40);
    }

    @Override
    public String reference() {
        return "drain of the three COPYs and one plain UPDATE, one after another";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LocalPostgres database = stage.database(work);
        try (Connection connection = database.dataSource().getConnection()) {
            CdcConfig config = chunks.apply(stage.config(database)).build();
            Alternation.Medians medians =
                    Alternation.USUAL.measure(new Pass(stage, work, connection, config), new Alternation.Task() {
                        @Override
                        public void prepare() throws Exception {
                            work.makeDirty(connection);
                        }

                        @Override
                        public void run() throws Exception {
                            CopyDrain.ofDirtyRows(connection, work.schemaId());
                            CopyDrain.mark(connection, work.schemaId());
                        }
                    });
            return List.of(Figure.of(name, MARK, medians, work.rows()));
        }
    }

    private static final class Pass implements Alternation.Task {
        private final Stage stage;
        private final Workload work;
        private final Connection connection;
        private final CdcConfig config;
        private FolderS3 store;

        Pass(Stage stage, Workload work, Connection connection, CdcConfig config) throws Exception {
            this.stage = stage;
            this.work = work;
            this.connection = connection;
            this.config = config;
            this.store = stage.newStore();
        }

        @Override
        public void prepare() throws Exception {
            work.makeDirty(connection);
            store = stage.newStore();
        }

        @Override
        public void run() {
            long marked = Cdc.runOnce(config, store, false, Workload.REGISTRY)
                    .schema(work.schemaId())
                    .orElseThrow()
                    .markedRows();
            Check.equal(work.rows(), marked, "rows marked");
        }
    }
}
