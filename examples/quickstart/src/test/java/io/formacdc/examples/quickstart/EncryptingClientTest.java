package io.formacdc.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import io.formacdc.core.CdcConfig;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3ObjectStore;
import io.formacdc.s3.S3Objects;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;

/** What arrives at a server that takes everything. */
class EncryptingClientTest {
    private final Map<String, Headers> arrived = new ConcurrentHashMap<>();
    private HttpServer server;
    private S3Client s3;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            arrived.put(exchange.getRequestMethod() + " " + exchange.getRequestURI(), exchange.getRequestHeaders());
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().add("ETag", "\"e\"");
            byte[] answer = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>".getBytes(StandardCharsets.UTF_8);
            boolean isDelete = exchange.getRequestMethod().equals("DELETE");
            exchange.sendResponseHeaders(isDelete ? 204 : 200, isDelete ? -1 : answer.length);
            if (!isDelete) {
                exchange.getResponseBody().write(answer);
            }
            exchange.close();
        });
        server.start();
        CdcConfig config = CdcConfig.builder()
                .s3Endpoint("127.0.0.1:" + server.getAddress().getPort())
                .s3Region("us-east-1")
                .s3UsePath(true)
                .build();
        s3 = S3Clients.create(config, "key", "secret");
    }

    @AfterEach
    void stop() {
        s3.close();
        server.stop(0);
    }

    @Test
    void everyObjectWrittenIsEncryptedWithTheHostsKey() {
        EncryptingClient client = new EncryptingClient(s3, "key-of-the-host");
        new S3ObjectStore(client, "bucket").putIfAbsent("manifest.json", new byte[] {1});
        S3Objects.copyTmpToFinal(client, "bucket", "tmp.parquet", "final.parquet");

        assertThat(arrived.keySet())
                .containsExactlyInAnyOrder(
                        "PUT /bucket/manifest.json", "PUT /bucket/final.parquet", "DELETE /bucket/tmp.parquet");
        arrived.forEach((request, headers) -> {
            if (request.startsWith("PUT")) {
                assertThat(headers.getFirst("x-amz-server-side-encryption")).isEqualTo("aws:kms");
                assertThat(headers.getFirst("x-amz-server-side-encryption-aws-kms-key-id"))
                        .isEqualTo("key-of-the-host");
            }
        });
        assertThat(arrived)
                .hasEntrySatisfying(
                        "PUT /bucket/manifest.json",
                        headers -> assertThat(headers.getFirst("If-None-Match")).isEqualTo("*"));
    }
}
