package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.ObjectStoreException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** Which credentials and which region a client signs with, by what arrives at a server. */
class DefaultChainTest {
    private static final List<String> TOUCHED = List.of(
            "aws.accessKeyId",
            "aws.secretAccessKey",
            "aws.sessionToken",
            "aws.sharedCredentialsFile",
            "aws.configFile",
            "aws.region",
            "aws.disableEc2Metadata");

    @TempDir
    Path folder;

    private final Map<String, String> before = new HashMap<>();
    private final List<Headers> arrived = Collections.synchronizedList(new ArrayList<>());
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        TOUCHED.forEach(name -> before.put(name, System.getProperty(name)));
        TOUCHED.forEach(System::clearProperty);
        System.setProperty("aws.sharedCredentialsFile", profile().toString());
        System.setProperty("aws.configFile", folder.resolve("none").toString());
        System.setProperty("aws.disableEc2Metadata", "true");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            arrived.add(exchange.getRequestHeaders());
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    @Test
    void aRegionThatNobodyNamesIsMissed() {
        assumeThat(System.getenv("AWS_REGION"))
                .as("AWS_REGION of the environment")
                .isNull();
        for (Callable<S3Client> create : List.<Callable<S3Client>>of(
                () -> S3Clients.create(config().s3Endpoint("").s3Region("").build()),
                () -> S3Clients.create(config().s3Endpoint("").s3Region("").build(), "key", "secret"))) {
            assertThatThrownBy(create::call)
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("s3Region is not set, and the environment names no AWS region either");
        }
    }

    @Test
    void aRotatedCredentialIsPickedUpByAClientThatLives() throws IOException {
        write("first", "token1", Instant.now());
        try (S3Client client = S3Clients.create(config().build())) {
            head(client);
            assertSignedBy("first", "token1");
            write("second", "token2", Instant.now().plusSeconds(60));
            Awaitility.await().untilAsserted(() -> {
                head(client);
                assertSignedBy("second", "token2");
            });
        }
    }

    @Test
    void aPairNeverGetsTheSessionTokenOfAnotherSource() throws IOException {
        write("profile", "token", Instant.now());
        System.setProperty("aws.accessKeyId", "properties");
        System.setProperty("aws.secretAccessKey", "secret");
        try (S3Client client = S3Clients.create(config().build())) {
            head(client);
            assertSignedBy("properties", null);
        }
        System.setProperty("aws.sessionToken", "token");
        try (S3Client client = S3Clients.create(config().build(), "fixed", "secret")) {
            head(client);
            assertSignedBy("fixed", null);
        }
    }

    @Test
    void aPairAndItsSessionTokenStayTogether() {
        System.setProperty("aws.accessKeyId", "properties");
        System.setProperty("aws.secretAccessKey", "secret");
        System.setProperty("aws.sessionToken", "token");
        try (S3Client client = S3Clients.create(config().build())) {
            head(client);
            assertSignedBy("properties", "token");
        }
    }

    @Test
    void whereThereAreNoCredentialsTheMessageSaysSoAndLittleElse() {
        assumeThat(System.getenv("AWS_ACCESS_KEY_ID"))
                .as("AWS_ACCESS_KEY_ID of the environment")
                .isNull();
        try (S3Client client = S3Clients.create(config().build())) {
            assertThatThrownBy(() -> new S3ObjectStore(S3FullClient.of(client), "bucket").get("key"))
                    .isInstanceOf(ObjectStoreException.class)
                    .hasMessage("getObject s3://bucket/key was not sent: there are no AWS credentials; set"
                            + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name another source of the AWS default"
                            + " chain, or inject a client");
        }
        assertThat(arrived).isEmpty();
    }

    @Test
    void requestsAreSignedForTheConfiguredRegion() throws IOException {
        write("profile", "token", Instant.now());
        try (S3Client client = S3Clients.create(config().s3Region("eu-west-3").build())) {
            head(client);
            assertThat(last().getFirst("Authorization")).contains("/eu-west-3/s3/aws4_request");
        }
    }

    private CdcConfigBuilder config() {
        return CdcConfig.builder()
                .s3Endpoint("127.0.0.1:" + server.getAddress().getPort())
                .s3Region("us-east-1")
                .s3UsePath(true);
    }

    private Path profile() {
        return folder.resolve("credentials");
    }

    /** The SDK looks at the time of the file, about once a second. */
    private void write(String accessKey, String sessionToken, Instant modified) throws IOException {
        Files.writeString(profile(), """
                [default]
                aws_access_key_id = %s
                aws_secret_access_key = secret
                aws_session_token = %s
                """.formatted(accessKey, sessionToken));
        Files.setLastModifiedTime(profile(), FileTime.from(modified));
    }

    private static void head(S3Client client) {
        client.headObject(request -> request.bucket("bucket").key("key"));
    }

    private Headers last() {
        return arrived.get(arrived.size() - 1);
    }

    private void assertSignedBy(String accessKey, @Nullable String sessionToken) {
        assertThat(last().getFirst("Authorization")).contains("Credential=" + accessKey + "/");
        assertThat(last().getFirst("x-amz-security-token")).isEqualTo(sessionToken);
    }
}
