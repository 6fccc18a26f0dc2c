package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.Compactor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A host that gives no S3 client: the runner makes one of the AWS default chain and the configuration. */
class OwnClientIT {
    private static final LocalS3 S3 = TestHost.s3();

    @TempDir
    Path folder;

    private final Map<String, String> before = new HashMap<>();
    private final TestHost host = new TestHost();
    private final Entities entities = new Entities(host, 7);

    OwnClientIT() throws SQLException {}

    @BeforeEach
    void nameTheProfile() {
        set("aws.sharedCredentialsFile", folder.resolve("credentials").toString());
        set("aws.configFile", folder.resolve("none").toString());
        set("aws.disableEc2Metadata", "true");
    }

    @AfterEach
    void close() throws SQLException {
        before.forEach((name, value) -> {
            if (value.isEmpty()) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
        host.close();
    }

    @Test
    void aRunnerThatLivesPicksUpARotatedCredentialAndClosesItsClient() throws SQLException, IOException {
        entities.insertMany(10);
        write("expired-access-key", "expired-secret", Instant.now());
        try (CdcRunner runner =
                CdcRunner.builder(config()).registry(Entities.REGISTRY).build()) {
            assertThatThrownBy(() -> runner.runOnce(false))
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("access denied")
                    .hasMessageNotContaining("expired-secret");
            assertThat(entities.dirty()).hasSize(10);

            write(S3.accessKey(), S3.secretKey(), Instant.now().plusSeconds(60));
            Awaitility.await()
                    .ignoreExceptions()
                    .untilAsserted(
                            () -> assertThat(runner.runOnce(false).rows()).isEqualTo(10));

            Compactor withTheSameClient =
                    runner.compactor(CompactionConfig.builder().build());
            assertThat(withTheSameClient.runOnce(List.of(7)).schemas()).hasSize(1);
            runner.close();
            entities.updateAll(host.connection);
            assertThatThrownBy(() -> withTheSameClient.runOnce(List.of(7))).hasStackTraceContaining("shut down");
        }
        assertThat(Cdc.runOnce(config(), null, false, Entities.REGISTRY).rows()).isEqualTo(10);
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    private CdcConfig config() {
        return host.config()
                .s3Endpoint(S3.endpoint().toString())
                .s3UsePath(true)
                .build();
    }

    /** The SDK looks at the time of the file, about once a second. */
    private void write(String accessKey, String secret, Instant modified) throws IOException {
        Path file = Files.writeString(
                folder.resolve("credentials"),
                "[default]\naws_access_key_id = " + accessKey + "\naws_secret_access_key = " + secret + "\n");
        Files.setLastModifiedTime(file, FileTime.from(modified));
    }

    private void set(String property, String value) {
        before.put(property, System.getProperty(property, ""));
        System.setProperty(property, value);
    }
}
