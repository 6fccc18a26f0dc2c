package io.formacdc.examples.testbed;

import io.formacdc.core.CompactionConfig;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Kills processes that flush, compact, export and sweep, at random moments, while writers write and readers compare; and
 * asks some of them to end, in the middle of their work. PostgreSQL syncs to the disk.
 *
 * <p>Run by hand: {@code java ... io.formacdc.examples.testbed.Kills 300} kills three hundred times.
 */
public final class Kills {
    private static final int WORKERS = 2;
    private static final int IDS = 1_500;
    private static final int MOST_MILLIS_ALIVE = 1_500;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration MOST_TO_END = Duration.ofSeconds(10);

    private final Deployment deployment;
    private final Path spills;
    private final int kills;
    private final Bed bed;
    private final AtomicInteger turns = new AtomicInteger();
    private final AtomicInteger killed = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicLong longestEndMillis = new AtomicLong();
    private final AtomicInteger leftBehind = new AtomicInteger();
    private final AtomicInteger survived = new AtomicInteger();

    private Kills(Deployment deployment, Path spills, int kills) {
        this.deployment = deployment;
        this.bed = new Bed(new Bed.Clock(Duration.ofDays(1)), deployment.secrets());
        this.spills = spills;
        this.kills = kills;
    }

    /**
     * Kills as often as it is told.
     *
     * @param args number of processes; 20 without
     */
    public static void main(String[] args) throws Exception {
        System.out.println(run(args.length == 0 ? 20 : Integer.parseInt(args[0])));
    }

    /**
     * Kills, comes to rest, and compares everything.
     *
     * @return what was done
     * @throws AssertionError if anything was lost, or an end was not clean
     */
    static String run(int kills) throws Exception {
        Path spills = Files.createTempDirectory("test-bed-kills");
        try (LocalPostgres postgres = LocalPostgres.start(Map.of("fsync", "on", "synchronous_commit", "on"));
                LocalS3 s3 = LocalS3.start()) {
            Kills bed = new Kills(Deployment.create(postgres, s3, spills), spills, kills);
            return bed.run();
        } finally {
            delete(spills);
        }
    }

    private String run() throws Exception {
        Writer.Load load = new Writer.Load();
        try (Oracle oracle = new Oracle(deployment)) {
            for (int schemaId : Deployment.SCHEMAS) {
                Writer writer = new Writer(deployment, schemaId, IDS, Duration.ofMinutes(schemaId == 1 ? -3 : 3));
                bed.start("writer of " + schemaId, () -> writer.run(bed.clock(), load));
            }
            bed.start("reader", () -> {
                while (!bed.clock().isOver()) {
                    for (int schemaId : Deployment.SCHEMAS) {
                        oracle.check(schemaId);
                    }
                    Thread.sleep(200);
                }
            });
            List<Thread> killers = new ArrayList<>();
            for (int worker = 1; worker <= WORKERS; worker++) {
                killers.add(new Thread(this::killAgainAndAgain, "killer " + worker));
            }
            killers.forEach(Thread::start);
            for (Thread killer : killers) {
                killer.join();
            }
            bed.clock().stop();
            bed.join();
            awaitNoSession();
            new Rest(deployment, oracle).come(CompactionConfig.builder().build());
            return killed + " processes killed, " + ended + " asked to end, the slowest of them took "
                    + longestEndMillis
                    + " ms, " + leftBehind + " spill files of killed ones, " + survived
                    + " failures reported by workers; " + load + "; " + oracle;
        }
    }

    private void killAgainAndAgain() {
        try {
            while (turns.incrementAndGet() <= kills && !bed.clock().isOver()) {
                turn(turns.get() % 5 == 0);
            }
        } catch (IOException | InterruptedException | SQLException | RuntimeException | AssertionError e) {
            bed.start("killer", () -> {
                throw new AssertionError(e);
            });
        }
    }

    /** One process, from its start to its end. */
    private void turn(boolean isAsked) throws IOException, InterruptedException, SQLException {
        Path spill = Files.createTempDirectory(spills, "worker");
        Process process = start(spill);
        try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
            boolean isReady = false;
            for (String line = said.readLine(); !isReady && line != null; line = isReady ? line : said.readLine()) {
                isReady = line.equals("ready");
                count(line);
            }
            if (!isReady) {
                throw new AssertionError("a worker ended by itself, with exit code " + process.waitFor());
            }
            Thread.sleep(ThreadLocalRandom.current().nextInt(MOST_MILLIS_ALIVE));
            if (isAsked) {
                askToEnd(process, said, spill);
            } else {
                process.toHandle().destroyForcibly(); // unlike that of Process, this leaves its output open
                drain(said);
                process.waitFor();
                killed.incrementAndGet();
                leftBehind.addAndGet(files(spill).size());
            }
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(Path spill) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Worker.class.getName());
        builder.environment().putAll(deployment.toEnvironment());
        builder.environment().put("BED_SPILL", spill.toString());
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        return builder.start();
    }

    private void askToEnd(Process process, BufferedReader said, Path spill)
            throws IOException, InterruptedException, SQLException {
        long begin = System.nanoTime();
        process.toHandle().destroy();
        String last = drain(said);
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("a worker does not end");
        }
        long millis = (System.nanoTime() - begin) / 1_000_000;
        longestEndMillis.accumulateAndGet(millis, Math::max);
        if (millis > MOST_TO_END.toMillis()) {
            throw new AssertionError("a worker that was asked to end took " + millis + " ms");
        }
        ended.incrementAndGet();
        if (!last.equals("clean") || !files(spill).isEmpty()) {
            throw new AssertionError("a worker that was asked to end said \"" + last + "\", and left " + files(spill));
        }
    }

    private void count(String line) {
        bed.checkForSecrets(line);
        survived.addAndGet(line.startsWith("survived") ? 1 : 0);
    }

    /** What a worker says to its end; returns its last word. */
    private String drain(BufferedReader said) throws IOException {
        String last = "";
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            count(line);
            last = line;
        }
        return last;
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            return tree.filter(path -> !path.equals(folder)).toList();
        }
    }

    /** The server needs a moment to see that a client was killed. */
    private void awaitNoSession() throws SQLException, InterruptedException {
        long begin = System.nanoTime();
        while (sessions() > 0) {
            if (System.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new AssertionError(sessions() + " sessions of killed processes are left");
            }
            Thread.sleep(100);
        }
    }

    private long sessions() throws SQLException {
        try (Connection connection = deployment.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM pg_stat_activity"
                        + " WHERE application_name = 'forma-cdc' AND datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all = new ArrayList<>(files(folder));
        all.sort(Comparator.reverseOrder());
        for (Path path : all) {
            Files.delete(path);
        }
        Files.delete(folder);
    }
}
