package io.formacdc.examples.testbed;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.FlushedFile;
import io.formacdc.duckdb.Cdc;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.SweepReport;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * A lake under load for as long as wanted: four writers with wrong clocks, two flushers, a compactor, an exporter, a
 * repairer, a purger, a sweeper with a grace of seconds, two readers that compare files and PostgreSQL at one instant,
 * and one that reads its list seconds late; while the store fails now and then, sessions are terminated, and works are
 * interrupted.
 *
 * <p>Run by hand: {@code java ... io.formacdc.examples.testbed.Soak 30} soaks for thirty minutes.
 */
public final class Soak {
    private static final Duration GRACE = Duration.ofSeconds(8);
    private static final int IDS = 2_000;
    private static final double FAULT_RATE = 0.02;
    private static final List<Duration> CLOCKS =
            List.of(Duration.ZERO, Duration.ofMinutes(-7), Duration.ofMinutes(5), Duration.ofMillis(-3));

    private final Deployment deployment;
    private final Deployment behindProxy;
    private final FaultyProxy proxy;
    private final Bed bed;
    private final Oracle oracle;
    private final Writer.Load load = new Writer.Load();
    private final Done done = new Done();
    private final AtomicLong terminated = new AtomicLong();
    private final AtomicLong interrupted = new AtomicLong();

    private Soak(Deployment deployment, FaultyProxy proxy, Duration duration) {
        this.deployment = deployment;
        this.proxy = proxy;
        this.behindProxy = deployment.behind(proxy);
        this.bed = new Bed(new Bed.Clock(duration), deployment.secrets());
        this.oracle = new Oracle(deployment);
    }

    /** What the library says that it did. */
    private static final class Done implements CdcListener {
        private final Map<Outcome, Integer> flushes = new EnumMap<>(Outcome.class);
        private final AtomicLong files = new AtomicLong();
        private final AtomicLong rows = new AtomicLong();
        private final AtomicLong compactions = new AtomicLong();
        private final AtomicLong exports = new AtomicLong();
        private final AtomicLong swept = new AtomicLong();
        private final AtomicLong purged = new AtomicLong();
        private final AtomicLong repairs = new AtomicLong();

        @Override
        public void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
            files.incrementAndGet();
            rows.addAndGet(file.contents().rowCount());
        }

        @Override
        public synchronized void schemaFinished(SchemaFlush flush) {
            flushes.merge(flush.outcome(), 1, Integer::sum);
        }

        @Override
        public void compactionFinished(SchemaCompaction compaction) {
            compactions.addAndGet(compaction.filesWritten() > 0 ? 1 : 0);
        }

        @Override
        public synchronized String toString() {
            return rows + " rows in " + files + " files, flushes " + flushes + ", " + compactions + " compactions, "
                    + exports + " exports, " + repairs + " repairs, " + swept + " objects swept, " + purged
                    + " rows purged";
        }
    }

    /**
     * Soaks for as long as it is told.
     *
     * @param args minutes; 1 without
     */
    public static void main(String[] args) throws Exception {
        Duration duration = Duration.ofSeconds((long) (60 * (args.length == 0 ? 1.0 : Double.parseDouble(args[0]))));
        System.out.println(run(duration));
    }

    /**
     * Soaks, comes to rest, and compares everything.
     *
     * @return what was done, line by line
     * @throws AssertionError if anything was lost, or came back, or was torn
     */
    static String run(Duration duration) throws Exception {
        Path spill = Files.createTempDirectory("test-bed-spill");
        try (LocalPostgres postgres = LocalPostgres.start();
                LocalS3 s3 = LocalS3.start();
                FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1)) {
            Soak soak = new Soak(Deployment.create(postgres, s3, spill), proxy, duration);
            try {
                soak.soak();
                proxy.setRate(0);
                new Rest(soak.deployment, soak.oracle).come(compaction());
                soak.assertNothingIsLeft(spill);
                return soak.report(duration);
            } catch (Throwable e) {
                System.out.println(soak.report(duration));
                throw e;
            } finally {
                soak.oracle.close();
            }
        } finally {
            Files.deleteIfExists(spill);
        }
    }

    private String report(Duration duration) {
        return String.join(
                System.lineSeparator(),
                "soaked for " + duration,
                "  load      " + load,
                "  done      " + done,
                "  store     " + proxy.statistics(),
                "  sessions  " + terminated + " terminated, " + interrupted + " works interrupted",
                "  survived  " + bed.survived(),
                "  readers   " + oracle);
    }

    private void soak() throws Exception {
        for (int i = 0; i < CLOCKS.size(); i++) {
            int schemaId = Deployment.SCHEMAS.get(i % Deployment.SCHEMAS.size());
            Writer writer = new Writer(deployment, schemaId, IDS, CLOCKS.get(i));
            bed.start("writer " + i, () -> writer.run(bed.clock(), load));
        }
        try (S3Client client = behindProxy.client()) {
            S3FullClient full = S3FullClient.of(client);
            proxy.setRate(FAULT_RATE);
            List<Thread> works = List.of(
                    bed.repeat("flusher 1", Duration.ofMillis(200), () -> flush(full)),
                    bed.repeat("flusher 2", Duration.ofMillis(350), () -> flush(full)),
                    bed.repeat("compactor", Duration.ofSeconds(1), () -> compact(full)),
                    bed.repeat("sweeper", Duration.ofSeconds(3), () -> sweep(full)),
                    bed.repeat("exporter", Duration.ofSeconds(15), () -> export(full)),
                    bed.repeat("keeper", Duration.ofSeconds(10), () -> keep(full)));
            for (int reader = 1; reader <= 2; reader++) {
                bed.start("reader " + reader, this::read);
            }
            bed.start("late reader", this::readLate);
            bed.repeat("terminator", Duration.ofSeconds(2), this::terminate);
            bed.repeat("interrupter", Duration.ofSeconds(4), () -> {
                works.get(ThreadLocalRandom.current().nextInt(works.size())).interrupt();
                interrupted.incrementAndGet();
            });
            bed.join();
        }
    }

    private void flush(S3FullClient client) {
        int batch = 20 + ThreadLocalRandom.current().nextInt(1_000);
        try (CdcRunner runner =
                Deployment.runner(behindProxy.config().batchSize(batch).build(), client, done)) {
            runner.runOnce(false);
        }
    }

    private static CompactionConfig compaction() {
        return CompactionConfig.builder().targetBaseSizeMb(1).dirtyRatioPct(20).build();
    }

    private void compact(S3FullClient client) {
        try (CdcRunner runner = runner(client)) {
            runner.compactor(compaction()).runOnce();
        }
    }

    private CdcRunner runner(S3FullClient client) {
        return Deployment.runner(behindProxy.config().build(), client, done);
    }

    private void sweep(S3FullClient client) {
        try (CdcRunner runner = runner(client)) {
            for (SweepReport report : runner.sweeper(new SweepOptions(GRACE, Duration.ofMinutes(2)))
                    .sweep()) {
                done.swept.addAndGet(report.deleted().size());
            }
        }
    }

    private void export(S3FullClient client) {
        int schemaId = Deployment.SCHEMAS.get(ThreadLocalRandom.current().nextInt(Deployment.SCHEMAS.size()));
        try (CdcRunner runner = runner(client)) {
            runner.exportBase(schemaId, BaseExportOptions.DEFAULTS.replacingDeltas());
            done.exports.incrementAndGet();
        }
    }

    /** What an operator does now and then. */
    private void keep(S3FullClient client) {
        for (int schemaId : Deployment.SCHEMAS) {
            done.purged.addAndGet(
                    Cdc.purgeFlushed(behindProxy.config().build(), client, schemaId, Duration.ofSeconds(20)));
            Cdc.repair(behindProxy.config().build(), client, schemaId);
            done.repairs.incrementAndGet();
        }
    }

    private void read() throws SQLException, IOException, InterruptedException {
        while (!bed.clock().isOver()) {
            for (int schemaId : Deployment.SCHEMAS) {
                oracle.check(schemaId);
            }
            Thread.sleep(200);
        }
    }

    private void readLate() throws SQLException, IOException, InterruptedException {
        while (!bed.clock().isOver()) {
            for (int schemaId : Deployment.SCHEMAS) {
                oracle.checkLate(schemaId);
            }
        }
    }

    /** Ends one of the library's sessions. */
    private void terminate() throws SQLException {
        try (Connection connection = deployment.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'forma-cdc'"
                                + " AND datname = current_database() ORDER BY random() LIMIT 1")) {
            terminated.addAndGet(row.next() ? 1 : 0);
        }
    }

    private void assertNothingIsLeft(Path spill) throws SQLException, IOException {
        try (Stream<Path> files = Files.list(spill)) {
            List<Path> left = files.toList();
            if (!left.isEmpty()) {
                throw new AssertionError("spill files are left: " + left);
            }
        }
        try (Connection connection = deployment.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM pg_stat_activity"
                        + " WHERE application_name = 'forma-cdc' AND datname = current_database()")) {
            row.next();
            if (row.getLong(1) > 0) {
                throw new AssertionError(row.getLong(1) + " sessions are left");
            }
        }
    }
}
