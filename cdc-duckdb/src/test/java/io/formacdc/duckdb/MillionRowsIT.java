package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** A backlog far larger than the heap. */
final class MillionRowsIT {
    private static final int ROWS = 1_000_000;

    @TempDir
    private Path folder;

    @Test
    @Timeout(300)
    void millionRowsAreFlushedAndExportedInASmallHeap() throws Exception {
        try (TestHost host = new TestHost()) {
            long begin = System.nanoTime();
            load(host);
            long loaded = System.nanoTime();
            assertThat(runInChild(host, "-Xmx256m", "flush")).isZero();
            long flushed = System.nanoTime();
            assertLakeHoldsEachRowOnce(host);
            assertThat(host.listedKeys(7)).hasSize(ROWS / 10_000);
            long compared = System.nanoTime();
            // All rows in one file.
            assertThat(runInChild(host, "-Xmx64m", "export")).isZero();
            long exported = System.nanoTime();
            assertLakeHoldsEachRowOnce(host);
            assertThat(host.listedKeys(7)).hasSize(1);
            System.out.printf(
                    "MillionRowsIT: loaded in %d s, flushed in %d s, compared in %d s, exported in %d s%n",
                    TimeUnit.NANOSECONDS.toSeconds(loaded - begin),
                    TimeUnit.NANOSECONDS.toSeconds(flushed - loaded),
                    TimeUnit.NANOSECONDS.toSeconds(compared - flushed),
                    TimeUnit.NANOSECONDS.toSeconds(exported - compared));
        }
    }

    private static void load(TestHost host) throws SQLException {
        for (String table : List.of("entity_main", "eav_data", "change_log")) {
            host.sql("ALTER TABLE " + table + " SET UNLOGGED");
        }
        String rows = "SELECT 7, lpad(to_hex(n), 32, '0')::uuid, %s FROM generate_series(1, " + ROWS + ") n";
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, bigint_01, ltbase_created_at,"
                + " ltbase_updated_at) " + rows.formatted("'title of ' || n, n * 7, n, n"));
        host.sql("INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric) " + rows.formatted("4, n * 11"));
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) " + rows.formatted("n"));
    }

    private int runInChild(TestHost host, String heap, String what) throws IOException, InterruptedException {
        LocalS3 s3 = TestHost.s3();
        CdcConfig config = host.config().build();
        Path log = folder.resolve("child.log");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        heap,
                        "-XX:+ExitOnOutOfMemoryError",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        host.postgres.host(),
                        String.valueOf(host.postgres.port()),
                        host.postgres.database(),
                        host.postgres.user(),
                        s3.endpoint().toString(),
                        s3.bucket(),
                        config.s3Prefix(),
                        config.manifestPrefix(),
                        what)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("CHILD_PG_PASSWORD", host.postgres.password());
        builder.environment().put("CHILD_S3_ACCESS_KEY", s3.accessKey());
        builder.environment().put("CHILD_S3_SECRET_KEY", s3.secretKey());
        Process child = builder.start();
        try {
            assertThat(child.waitFor(200, TimeUnit.SECONDS)).isTrue();
        } finally {
            child.destroyForcibly().waitFor();
            System.out.print(Files.readString(log));
        }
        return child.exitValue();
    }

    private static void assertLakeHoldsEachRowOnce(TestHost host) throws SQLException {
        String figures = "SELECT concat_ws(' ', count(*), count(DISTINCT %s), sum(%s), sum(amount), sum(total),"
                + " sum(length(title))) FROM %s";
        String inPostgres =
                "(SELECT m.*, bigint_01 AS amount, text_01 AS title, value_numeric AS total FROM entity_main m"
                        + " JOIN eav_data ON schema_id = ltbase_schema_id AND row_id = ltbase_row_id AND attr_id = 4) p";
        try (Lake lake = Lake.open(host.config().build(), host.client, 7)) {
            assertThat(Entities.rows(lake.connection(), figures.formatted("row_id", "changed_at", "lake")))
                    .isEqualTo(Entities.rows(
                            host.connection, figures.formatted("ltbase_row_id", "ltbase_updated_at", inPostgres)));
        }
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isZero();
    }

    /** What runs in the small heap. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            CdcConfig config = CdcConfig.builder()
                    .pgHost(args[0])
                    .pgPort(Integer.parseInt(args[1]))
                    .pgDb(args[2])
                    .pgUser(args[3])
                    .pgPassword(System.getenv("CHILD_PG_PASSWORD"))
                    .pgSslMode("disable")
                    .s3Endpoint(args[4])
                    .s3UsePath(true)
                    .s3Bucket(args[5])
                    .s3Prefix(args[6])
                    .manifestPrefix(args[7])
                    .duckThreads(2)
                    .build();
            String accessKey = System.getenv("CHILD_S3_ACCESS_KEY");
            try (S3Client client = S3Clients.create(config, accessKey, System.getenv("CHILD_S3_SECRET_KEY"))) {
                if (args[8].equals("flush")) {
                    FlushReport report = Cdc.runOnce(config, S3FullClient.of(client), false, Entities.REGISTRY);
                    System.out.println("flushed " + report.rows() + " rows in " + report.files() + " files, "
                            + report.duration().toSeconds() + " s");
                } else {
                    BaseExportOptions options = BaseExportOptions.DEFAULTS.replacingDeltas();
                    BaseExportReport report =
                            Cdc.exportBase(config, S3FullClient.of(client), 7, options, Entities.REGISTRY);
                    System.out.println("exported " + report.rows() + " rows in " + report.files() + " files of "
                            + report.bytes() + " bytes, " + report.duration().toSeconds() + " s");
                }
            }
        }
    }
}
