package io.formacdc.examples.byhand;

import io.formacdc.core.Amounts;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.UuidV7;
import io.formacdc.duckdb.DuckExporter;
import io.formacdc.duckdb.Lake;
import io.formacdc.examples.localstack.CtrlC;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * The story: sensors are installed, flushed by hand in batches, changed and removed, flushed again, and compared with
 * PostgreSQL. The flush itself is {@link HandMadeFlush}.
 */
public final class ByHand {
    private static final int SENSORS = 5_000;

    private final PrintStream out;
    private final @Nullable String pgPassword;
    private final boolean plantsDifference;

    /** @param pgPassword what the flush logs in with; null for the right one */
    ByHand(PrintStream out, @Nullable String pgPassword, boolean plantsDifference) {
        this.out = out;
        this.pgPassword = pgPassword;
        this.plantsDifference = plantsDifference;
    }

    /** Ends the JVM: with 0 after a last line that begins with {@code OK:}, with 1 after one with {@code FAILED:}. */
    public static void main(String[] args) {
        ByHand byHand = new ByHand(
                System.out, System.getProperty("by-hand.pgPassword"), Boolean.getBoolean("by-hand.plantDifference"));
        boolean equal;
        try (CtrlC ctrlC = CtrlC.interruptsThisThread()) {
            equal = byHand.run(ctrlC);
        }
        System.exit(equal ? 0 : 1);
    }

    /** Tells the story, and returns whether lake and PostgreSQL were equal at its end. */
    boolean run(CtrlC ctrlC) {
        line("Forma CDC for Java: a flush by hand");
        try (LocalPostgres postgres = ctrlC.undisturbed(LocalPostgres::start);
                LocalS3 s3 = ctrlC.undisturbed(LocalS3::startOrExternal);
                Connection writer = postgres.dataSource().getConnection()) {
            LocalPostgres.createTables(writer);
            CdcConfig config = config(postgres, s3);
            try (S3Client client = S3Clients.create(config, s3.accessKey(), s3.secretKey());
                    DuckExporter exporter = DuckExporter.open(config, s3.accessKey(), s3.secretKey())) {
                S3FullClient full = S3FullClient.of(client);
                ManifestStore manifests = new ManifestStore(
                        new S3ObjectStore(full, config.s3Bucket()),
                        ManifestConfig.of(config).orElseThrow(),
                        ManifestStoreOptions.of(config));
                HandMadeFlush flush = new HandMadeFlush(
                        config,
                        Sensors.SCHEMA_ID,
                        Sensors.ATTRIBUTES,
                        postgres.dataSource(),
                        connectionString(config),
                        exporter,
                        full,
                        new ManifestFileLog(manifests));
                Sensors.install(writer, SENSORS);
                flush(flush);
                Sensors.live(writer);
                flush(flush);
                if (plantsDifference) {
                    Sensors.plantDifference(writer);
                }
                return compare(writer, config, full);
            }
        } catch (SQLException | RuntimeException e) {
            return end(false, ctrlC.isPressed() ? CtrlC.INTERRUPTED : String.valueOf(e.getMessage()));
        }
    }

    private void flush(HandMadeFlush flush) {
        int rows = 0;
        int files = 0;
        for (int marked = flush.flushBatch(); marked > 0; marked = flush.flushBatch()) {
            rows += marked;
            files++;
        }
        line("flushed %,d rows in %s", rows, Amounts.of(files, "file"));
    }

    private boolean compare(Connection postgres, CdcConfig config, S3FullClient client) throws SQLException {
        try (Lake lake = Lake.open(config, client, Sensors.SCHEMA_ID)) {
            List<String> differences = Sensors.differences(postgres, lake);
            differences.stream().limit(5).forEach(difference -> line("  %s", difference));
            return differences.isEmpty()
                    ? end(
                            true,
                            String.format(
                                    Locale.ROOT, "the lake equals PostgreSQL, %,d sensors", Sensors.count(postgres)))
                    : end(false, differences.size() + " rows of lake and PostgreSQL have no equal in the other");
        }
    }

    private CdcConfig config(LocalPostgres postgres, LocalS3 s3) {
        String folder = "by-hand-" + UuidV7.next();
        return CdcConfig.builder()
                .pgHost(postgres.host())
                .pgPort(postgres.port())
                .pgUser(postgres.user())
                .pgPassword(Objects.requireNonNullElse(pgPassword, postgres.password()))
                .pgDb(postgres.database())
                .pgSslMode("prefer")
                .minRecords(1)
                .batchSize(2_000)
                .s3Endpoint(s3.endpoint().toString())
                .s3UsePath(true)
                .s3Bucket(s3.bucket())
                .s3Prefix(folder + "/data")
                .manifestPrefix(folder)
                .build()
                .withDefaults();
    }

    private static String connectionString(CdcConfig config) {
        String quoted = config.pgPassword().replace("\\", "\\\\").replace("'", "\\'");
        return "host=%s port=%d user=%s password='%s' dbname=%s sslmode=%s"
                .formatted(
                        config.pgHost(), config.pgPort(), config.pgUser(), quoted, config.pgDb(), config.pgSslMode());
    }

    private boolean end(boolean ok, String text) {
        line("%s: %s", ok ? "OK" : "FAILED", text);
        return ok;
    }

    private void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}
