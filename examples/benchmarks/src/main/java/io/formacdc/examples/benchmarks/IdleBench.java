package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A pass over many schemas of which each has some dirty rows, and none enough to be flushed. */
record IdleBench() implements Bench {
    private static final int SCHEMAS = 1_000;
    private static final int FEW_SCHEMAS = 10;
    private static final int STATEMENTS = 5;

    @Override
    public String name() {
        return "idle";
    }

    @Override
    public String subject() {
        return "SQL statements of an idle pass over 1,000 schemas (the ratio is their number)";
    }

    @Override
    public String reference() {
        return "an idle pass over 10 schemas";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Measured few = measure(stage, FEW_SCHEMAS);
        Measured many = measure(stage, SCHEMAS);
        return List.of(new Figure(
                        name(), many.statements(), STATEMENTS, many.millis(), few.millis(), SCHEMAS, java.util.Map.of())
                .with("statements_of_10_schemas", few.statements())
                .with("requests", many.requests()));
    }

    private record Measured(long statements, long requests, double millis) {}

    private static Measured measure(Stage stage, int schemas) throws Exception {
        LocalPostgres database = stage.newDatabase();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT s, gen_random_uuid(), "
                    + System.currentTimeMillis() + " FROM generate_series(1, " + schemas
                    + ") s, generate_series(1, 3)");
            CdcConfig config = stage.config(database).minRecords(20_000).build();
            FolderS3 store = stage.newStore();
            List<Double> millis = new java.util.ArrayList<>();
            long statements = 0;
            for (int round = 0; round < 6; round++) {
                ServerLog log = ServerLog.begin(connection);
                long begin = System.nanoTime();
                long below = Cdc.runOnce(config, store, false, Workload.REGISTRY).schemas().stream()
                        .filter(s -> s.outcome() == Outcome.BELOW_THRESHOLD)
                        .count();
                millis.add((System.nanoTime() - begin) / (double) TimeUnit.MILLISECONDS.toNanos(1));
                Check.equal(schemas, below, "schemas below the threshold");
                statements = log.end().statements();
            }
            long requests = store.requests().values().stream().mapToLong(n -> n).sum();
            return new Measured(statements, requests, Alternation.median(millis.subList(1, millis.size())));
        } finally {
            database.close();
        }
    }
}
