package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Merges of ten times the memory that DuckDB may have. */
final class MergeMemoryIT {
    /** Beside DuckDB's limit: the JVM with its heap, and what DuckDB does not count. */
    private static final long BESIDE_BYTES = 400_000_000;

    private static final int DELTAS = 4;

    @TempDir
    private Path folder;

    /** A row is {@code textBytes} of text, and 58 bytes besides. Every tenth row of the base has a newer version. */
    @ParameterizedTest
    @CsvSource({"128, 13000000, 42", "256, 320000, 8000"})
    @Timeout(240)
    void rowsOfAnyWidthAreMergedInATenthOfTheirMemory(int limitMegabytes, long rows, int textBytes) throws Exception {
        assertThat(rows * (textBytes + 58)).isGreaterThanOrEqualTo(limitMegabytes * 10_000_000L);
        long begin = System.nanoTime();
        generate(rows, textBytes);
        long generated = System.nanoTime();
        List<String> told = mergeInChild(limitMegabytes);
        System.out.printf(
                "MergeMemoryIT: %d rows of %d bytes of text, %d MB: generated in %d s, merged in %d s, %s%n",
                rows,
                textBytes,
                limitMegabytes,
                TimeUnit.NANOSECONDS.toSeconds(generated - begin),
                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - generated),
                told);
        // Versions: one for each row of the base, and one more for every tenth.
        assertThat(told.get(1)).isEqualTo(rows + " " + (rows / 10 * 2 + (rows - rows / 10)));
        assertThat(Long.parseLong(told.get(0))).isLessThan(limitMegabytes * 1_000_000L + BESIDE_BYTES);
    }

    private void generate(long rows, int textBytes) throws SQLException {
        String row = "SELECT 7::SMALLINT AS schema_id, md5('r' || i)::UUID AS row_id, %d::BIGINT AS changed_at,"
                + " 0::BIGINT AS deleted_at, i AS ltbase_created_at, i AS ltbase_updated_at,"
                + " NULL::BIGINT AS ltbase_deleted_at, left(repeat(md5(i::VARCHAR), "
                + (textBytes / 32 + 1) + "), " + textBytes + ") AS note FROM range(%d, %d, %d) t(i)";
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("SET preserve_insertion_order = false");
            statement.execute("SET memory_limit = '2GB'");
            statement.execute(copy(row.formatted(1, 0, rows, 1), "base"));
            for (int d = 0; d < DELTAS; d++) {
                statement.execute(copy(row.formatted(2, d * 10L, rows, DELTAS * 10), "delta" + d));
            }
        }
    }

    /** Row groups as exports make them. */
    private String copy(String select, String name) {
        return "COPY (" + select + ") TO "
                + ExportSql.literal(folder.resolve(name + ".parquet").toString())
                + " (FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION ZSTD, ROW_GROUP_SIZE_BYTES '64MB')";
    }

    private List<String> mergeInChild(int limitMegabytes) throws IOException, InterruptedException {
        Path log = folder.resolve("child.log");
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        folder.toString(),
                        limitMegabytes + "MB")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(child.waitFor(200, TimeUnit.SECONDS)).isTrue();
        } finally {
            child.destroyForcibly().waitFor();
        }
        List<String> lines = Files.readAllLines(log);
        assertThat(child.exitValue()).as("%s", lines).isZero();
        return lines.subList(lines.size() - 2, lines.size());
    }

    /** What runs in little memory. It tells its peak of resident memory, and then rows and sum of versions. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws IOException {
            Path sources = Path.of(args[0]);
            CdcConfig config = CdcConfig.builder()
                    .duckThreads(2)
                    .duckMemLimit(args[1])
                    .spillDirectory(sources.resolve("spill").toString())
                    .build()
                    .withDefaults();
            try (Merge merge = new DuckMerger(config).open(7)) {
                for (int d = 0; d < DELTAS; d++) {
                    merge.addLoose(source(merge, sources, "delta" + d));
                }
                List<Source> base = List.of(source(merge, sources, "base"));
                List<Long> told = Collections.synchronizedList(new ArrayList<>());
                List<LocalFile> written = merge.writeBase(RowIdInterval.ALL, base, 2, told::add);
                if (told.size() < 4 || told.get(told.size() - 1) != rows(written)) {
                    throw new IllegalStateException(
                            "of two files no progress was told on the way, or not the right one at the end: " + told);
                }
                System.out.println(peakBytes());
                System.out.println(rows(written) + " " + sumOfVersions(written));
            }
        }

        private static long peakBytes() throws IOException {
            try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
                String peak = status.filter(line -> line.startsWith("VmHWM:"))
                        .findFirst()
                        .orElseThrow();
                return Long.parseLong(peak.replaceAll("\\D", "")) * 1024;
            }
        }

        private static Source source(Merge merge, Path sources, String name) throws IOException {
            String file = name + ".parquet";
            return new Source(
                    name, Files.move(sources.resolve(file), merge.folder().resolve(file)));
        }

        private static long rows(List<LocalFile> files) {
            return files.stream().mapToLong(f -> f.contents().rowCount()).sum();
        }

        private static long sumOfVersions(List<LocalFile> files) {
            List<String> paths = files.stream()
                    .map(file -> ExportSql.literal(file.path().toString()))
                    .toList();
            try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                    Statement statement = duckDb.createStatement();
                    ResultSet result =
                            statement.executeQuery("SELECT sum(changed_at)::BIGINT FROM read_parquet(" + paths + ")")) {
                result.next();
                return result.getLong(1);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
