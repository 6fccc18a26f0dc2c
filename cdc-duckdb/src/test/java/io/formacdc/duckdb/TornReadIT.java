package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.s3.S3ObjectStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** No file ever holds an entity of which one half is of another transaction than the other. */
class TornReadIT {
    /** Enough for one file to be read by several connections side by side. */
    private static final int ENTITIES = 9_000;

    private static final int TRANSACTIONS = 3000;
    private static final int PASSES = 6;

    @TempDir
    private Path folder;

    @Test
    @Timeout(120)
    void noFileHoldsAHalfUpdatedEntity() throws SQLException {
        try (TestHost host = new TestHost()) {
            Entities entities = new Entities(host, 7).insertMany(ENTITIES);
            CdcConfig config = host.config().build();
            AtomicInteger committed = new AtomicInteger();
            AtomicBoolean enough = new AtomicBoolean();
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> write(host, entities, committed, enough));
            int passes = 0;
            try (Connection connection = host.postgres.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                while (!writer.isDone() && (passes < PASSES || committed.get() < TRANSACTIONS)) {
                    entities.updateAll(connection);
                    connection.commit();
                    host.runOnce(config, Entities.REGISTRY);
                    passes++;
                }
            }
            enough.set(true);
            writer.join();
            host.runOnce(config, Entities.REGISTRY);

            entities.assertLakeEqualsPostgres(config);
            assertEveryRowIsWhole(host);
            System.out.println("TornReadIT: " + passes + " passes beside " + committed + " transactions");
        }
    }

    private static void write(TestHost host, Entities entities, AtomicInteger committed, AtomicBoolean enough) {
        Random random = new Random(20261122);
        boolean[] deleted = new boolean[ENTITIES + 1];
        long version = Entities.FIRST_VERSION + 1_000;
        try (Connection connection = host.postgres.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            while (!enough.get()) {
                int n = 1 + random.nextInt(ENTITIES);
                // Room for the updates of all.
                version += 1_000;
                if (deleted[n]) {
                    entities.insert(connection, entities.id(n), version);
                    deleted[n] = false;
                } else if (random.nextInt(10) == 0) {
                    entities.delete(connection, entities.id(n), version);
                    deleted[n] = true;
                } else {
                    entities.update(connection, entities.id(n), version);
                }
                connection.commit();
                committed.incrementAndGet();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void assertEveryRowIsWhole(TestHost host) throws SQLException {
        S3ObjectStore store = new S3ObjectStore(host.client, TestHost.s3().bucket());
        List<String> keys = host.dataKeys();
        for (int i = 0; i < keys.size(); i++) {
            store.download(keys.get(i), folder.resolve(i + ".parquet"));
        }
        String files = "read_parquet('" + folder + "/*.parquet')";
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            assertThat(
                            Entities.rows(
                                    duckDb,
                                    "SELECT t::text FROM " + files + " t WHERE CASE WHEN deleted_at > 0"
                                            + " THEN coalesce(title, note, amount::text, total::text, ltbase_updated_at::text) IS NOT NULL"
                                            + " ELSE (title, note, amount, total, ltbase_updated_at) IS DISTINCT FROM"
                                            + " ('t' || changed_at, 't' || changed_at, changed_at, changed_at, changed_at) END"))
                    .isEmpty();
            assertThat(Entities.rows(duckDb, "SELECT count(*) FROM " + files).get(0))
                    .satisfies(rows -> assertThat(Long.parseLong(rows)).isGreaterThan(3L * ENTITIES));
        }
    }
}
