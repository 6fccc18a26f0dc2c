package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.Point;
import io.formacdc.duckdb.SteppedFlush.When;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ConcurrencyIT {
    @TempDir
    private Path spill;

    private TestHost host;
    private CdcConfig config;
    private ExecutorService threads;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        config = host.config().batchSize(20).spillDirectory(spill.toString()).build();
        threads = Executors.newFixedThreadPool(4);
    }

    @AfterEach
    void stop() throws SQLException {
        threads.shutdownNow();
        host.close();
    }

    @Test
    void schemaInTheHandsOfAnotherIsSkippedAndTheOthersAreFlushed() throws SQLException {
        Entities held = new Entities(host, 7).insertMany(30);
        Entities free = new Entities(host, 8).insertMany(30);
        List<FlushReport> others = new ArrayList<>();

        FlushReport report = new SteppedFlush(host).run(config, point -> {
            if (point.equals(new Point(Effect.EXPORT, 2, When.BEFORE))) {
                others.add(host.flush(Entities.REGISTRY));
            }
        });

        assertThat(others.get(0).schemas())
                .extracting(SchemaFlush::outcome)
                .containsExactly(Outcome.LOCKED_ELSEWHERE, Outcome.FLUSHED);
        assertThat(report.schema(7).orElseThrow().markedRows()).isEqualTo(30);
        held.assertLakeEqualsPostgres(config);
        free.assertLakeEqualsPostgres(config);
    }

    @Test
    void runnersAtOnceLoseNothingAndListNothingTwiceInTheView() throws Exception {
        try (CdcRunner one = CdcRunner.create(config, host.client, Entities.REGISTRY);
                CdcRunner two = CdcRunner.create(config, host.client, Entities.REGISTRY)) {
            assertNothingIsLostBeside(List.of(one, two));
        }
    }

    @Test
    void oneRunnerServesFourThreads() throws Exception {
        try (CdcRunner runner = CdcRunner.create(config, host.client, Entities.REGISTRY)) {
            assertNothingIsLostBeside(List.of(runner, runner, runner, runner));
        }
    }

    /** Each runner makes passes over the same two schemas, while a writer changes both. */
    private void assertNothingIsLostBeside(List<CdcRunner> runners) throws Exception {
        List<Entities> schemas = List.of(new Entities(host, 7).insertMany(50), new Entities(host, 8).insertMany(50));
        List<Future<Set<Outcome>>> passes = new ArrayList<>();
        for (CdcRunner runner : runners) {
            passes.add(threads.submit(passes(runner)));
        }
        write(schemas, () -> passes.stream().allMatch(Future::isDone));

        Set<Outcome> outcomes = EnumSet.noneOf(Outcome.class);
        for (Future<Set<Outcome>> pass : passes) {
            outcomes.addAll(pass.get());
        }
        assertThat(outcomes)
                .contains(Outcome.FLUSHED)
                .isSubsetOf(Outcome.FLUSHED, Outcome.LOCKED_ELSEWHERE, Outcome.BELOW_THRESHOLD);
        runners.get(0).runOnce(false);
        for (Entities schema : schemas) {
            schema.assertLakeEqualsPostgres(config);
        }
        Leftovers.assertNone(host, spill);
    }

    private static Callable<Set<Outcome>> passes(CdcRunner runner) {
        return () -> {
            Set<Outcome> outcomes = EnumSet.noneOf(Outcome.class);
            for (int pass = 0; pass < 6; pass++) {
                runner.runOnce(false).schemas().forEach(flush -> outcomes.add(flush.outcome()));
            }
            return outcomes;
        };
    }

    private void write(List<Entities> schemas, Callable<Boolean> done) throws Exception {
        long version = Entities.FIRST_VERSION + 1_000;
        try (Connection connection = host.postgres.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            for (int n = 1; !done.call(); n = n % 50 + 1) {
                for (Entities schema : schemas) {
                    schema.update(connection, schema.id(n), ++version);
                    connection.commit();
                }
            }
        }
    }
}
