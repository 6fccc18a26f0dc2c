package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A pass with 100 dirty rows, spread over all entities, against nothing but its round trips. */
record SmallBench(String name, Duration latency, double mark) implements Bench {
    private static final int DIRTY_ROWS = 100;

    static SmallBench withoutLatency() {
        return new SmallBench("small-local", Duration.ZERO, 0);
    }

    /** As if the store were over the network: S3 answers small requests in 20 to 50 ms. */
    static SmallBench withLatency() {
        return new SmallBench("small", Duration.ofMillis(20), 3);
    }

    @Override
    public String subject() {
        return latency.isZero()
                ? "runOnce of 100 dirty rows, store without latency"
                : "runOnce of 100 dirty rows, " + latency.toMillis() + " ms an object request";
    }

    @Override
    public String reference() {
        return "its connections, statements and object requests, replayed empty";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        Workload work = stage.workload();
        LocalPostgres database = stage.database(work);
        CdcConfig config = stage.config(database).build();
        FolderS3 store = new FolderS3(stage.newFolder(), latency);
        try (Connection connection = database.dataSource().getConnection()) {
            makeDirty(work, connection);
            // The first pass of a process also tries out the store; and it warms up.
            Cdc.runOnce(config, store, false, Workload.REGISTRY);
            makeDirty(work, connection);
            long requestsBefore = requests(store);
            ServerLog log = ServerLog.begin(connection);
            Cdc.runOnce(config, store, false, Workload.REGISTRY);
            ServerLog.Count count = log.end();
            long requests = requests(store) - requestsBefore;
            Alternation.Task ours = new Alternation.Task() {
                @Override
                public void prepare() throws Exception {
                    makeDirty(work, connection);
                }

                @Override
                public void run() {
                    Check.equal(
                            DIRTY_ROWS,
                            Cdc.runOnce(config, store, false, Workload.REGISTRY)
                                    .schema(work.schemaId())
                                    .orElseThrow()
                                    .markedRows(),
                            "rows marked");
                }
            };
            Alternation.Medians medians =
                    new Alternation(2, 9).measure(ours, () -> replay(database, count, store, requests));
            return List.of(Figure.of(name, mark, medians, DIRTY_ROWS)
                    .with("statements", count.statements())
                    .with("connections", count.sessions())
                    .with("requests", requests));
        }
    }

    private static void makeDirty(Workload work, Connection connection) throws SQLException {
        int every = work.rows() / DIRTY_ROWS;
        work.makeDirty(connection, "integer_01 % " + every + " = 0 AND integer_01 <= " + every * DIRTY_ROWS);
    }

    private static long requests(FolderS3 store) {
        return store.requests().values().stream().mapToLong(n -> n).sum();
    }

    private static void replay(LocalPostgres database, ServerLog.Count count, FolderS3 store, long requests)
            throws SQLException {
        List<Connection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < Math.max(1, count.sessions()); i++) {
                connections.add(DriverManager.getConnection(
                        database.jdbcUrl() + "?sslmode=disable", database.user(), database.password()));
            }
            try (Statement statement = connections.get(0).createStatement()) {
                for (int i = 0; i < count.statements(); i++) {
                    statement.execute("SELECT 1");
                }
            }
            for (int i = 0; i < requests; i++) {
                store.emptyRequest();
            }
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }
}
