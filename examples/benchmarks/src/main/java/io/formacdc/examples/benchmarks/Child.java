package io.formacdc.examples.benchmarks;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One piece of work in a JVM of its own with little heap, so that its peak of resident memory can be told: the kernel's
 * {@code VmHWM}, which counts heap, DuckDB and everything else. Linux only.
 */
final class Child {
    private static final String HEAP = "-Xmx256m";
    private static final String PASSWORD = "BENCHMARK_PASSWORD";

    private Child() {}

    enum Work {
        FLUSH,
        EXPORT_BASE,
        COMPACT,
        VIEW
    }

    /** @param peakBytes greatest resident memory of the process */
    record Outcome(double millis, long rows, long peakBytes) {}

    /**
     * Does the work.
     *
     * @param memoryLimit of DuckDB
     * @param fileMegabytes of base files
     */
    static Outcome run(
            Stage stage, Work work, LocalPostgres database, Path store, String memoryLimit, int fileMegabytes)
            throws IOException, InterruptedException {
        Path log = stage.newFolder().resolve("child.log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                HEAP,
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                work.name(),
                database.host(),
                String.valueOf(database.port()),
                database.user(),
                database.database(),
                store.toString(),
                stage.newFolder().toString(),
                memoryLimit,
                String.valueOf(fileMegabytes)));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put(PASSWORD, database.password());
        int exit = builder.start().waitFor();
        List<String> lines = Files.readAllLines(log);
        if (exit != 0 || lines.isEmpty()) {
            throw new IllegalStateException(work + " failed in its own process: " + lines);
        }
        String[] told = lines.get(lines.size() - 1).split(" ", -1);
        return new Outcome(Double.parseDouble(told[0]), Long.parseLong(told[1]), Long.parseLong(told[2]));
    }

    public static void main(String[] args) throws IOException, SQLException {
        CdcConfig config = CdcConfig.builder()
                .pgHost(args[1])
                .pgPort(Integer.parseInt(args[2]))
                .pgUser(args[3])
                .pgPassword(System.getenv().getOrDefault(PASSWORD, ""))
                .pgDb(args[4])
                .pgSslMode("disable")
                .minRecords(1)
                .s3Bucket("benchmark")
                .s3Prefix("data")
                .manifestPrefix("lake")
                .spillDirectory(args[6])
                .duckMemLimit(args[7])
                .targetFileSizeMb(Integer.parseInt(args[8]))
                .queryTimeout(Duration.ofMinutes(20))
                .build();
        FolderS3 store = new FolderS3(Path.of(args[5]), Duration.ZERO);
        long begin = System.nanoTime();
        long rows = switch (Work.valueOf(args[0])) {
            case FLUSH -> Cdc.runOnce(config, store, false, Workload.REGISTRY).rows();
            case EXPORT_BASE ->
                Cdc.exportBase(config, store, Workload.SCHEMA_ID, BaseExportOptions.DEFAULTS, Workload.REGISTRY)
                        .rows();
            case COMPACT ->
                Cdc.compact(
                                config,
                                CompactionConfig.builder()
                                        .targetBaseSizeMb(config.targetFileSizeMb())
                                        .dirtyRatioPct(1)
                                        .build(),
                                store)
                        .schema(Workload.SCHEMA_ID)
                        .orElseThrow()
                        .bytesWritten();
            case VIEW -> ViewBench.rows(new LakeOnDisk(config, Path.of(args[5])), Workload.SCHEMA_ID);
        };
        double millis = (System.nanoTime() - begin) / (double) TimeUnit.MILLISECONDS.toNanos(1);
        System.out.println();
        System.out.println(millis + " " + rows + " " + peakBytes());
    }

    private static long peakBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.US_ASCII).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("this kernel does not tell VmHWM"));
    }
}
