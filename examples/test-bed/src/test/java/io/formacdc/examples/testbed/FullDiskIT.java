package io.formacdc.examples.testbed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * A spill folder that takes no more. Where the shell may mount (root, in a namespace of its own), the folder is a file
 * system of 256 KB; elsewhere a limit on the size of files stands in for it.
 */
class FullDiskIT {
    private static final int ROWS = 10_000;

    /** Much smaller than the file of so many random ids. */
    private static final String TMPFS = "unshare -m sh -c 'mount -t tmpfs -o size=64k tmpfs \"$BED_SPILL\" && exec %s'";

    private static final String LIMIT = "ulimit -f 256; exec %s";

    @Test
    void aFullDiskFailsThePassClearlyAndLosesNothing(@TempDir Path spill) throws Exception {
        try (LocalPostgres postgres = LocalPostgres.start();
                LocalS3 s3 = LocalS3.start()) {
            Deployment deployment = Deployment.create(postgres, s3, spill);
            try (Connection connection = deployment.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute(
                        "SELECT change_entity(1, gen_random_uuid(), 1, true) FROM generate_series(1, " + ROWS + ")");
            }
            boolean mayMount =
                    shell("unshare -m mount -t tmpfs tmpfs /mnt", deployment).exit() == 0;
            System.out.println("FullDiskIT: " + (mayMount ? "a tmpfs of 64 KB" : "no tmpfs may be mounted; ulimit -f"));

            Ended ended = shell((mayMount ? TMPFS : LIMIT).formatted(javaCommand()), deployment);

            assertThat(ended.said()).contains("failed: schema 1, export of ");
            assertThat(ended.said()).containsAnyOf("No space left", "File too large", "ould not write");
            assertThat(ended.said()).contains("left in the spill folder: 0");
            assertThat(ended.exit()).isEqualTo(1);
            try (Oracle oracle = new Oracle(deployment);
                    S3Client client = deployment.client()) {
                oracle.check(1);
                Cdc.runOnce(deployment.config().build(), S3FullClient.of(client), false, Deployment.REGISTRY);
                oracle.checkAtRest(1);
            }
        }
    }

    private static String javaCommand() {
        return "\"" + Path.of(System.getProperty("java.home"), "bin", "java") + "\" -cp \""
                + System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")) + "\" "
                + OnePass.class.getName();
    }

    private record Ended(int exit, String said) {}

    private static Ended shell(String command, Deployment deployment) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(List.of("sh", "-c", command)).redirectErrorStream(true);
        builder.environment().putAll(deployment.toEnvironment());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return new Ended(process.exitValue(), said);
    }
}
