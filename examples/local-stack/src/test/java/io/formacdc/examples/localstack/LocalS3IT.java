package io.formacdc.examples.localstack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

class LocalS3IT {
    private static final int THREADS = 16;
    private static final int INCREMENTS = 50;

    @Test
    void everyAcknowledgedConditionalWriteIsThere() throws Exception {
        try (LocalS3 server = LocalS3.start();
                S3Client client = client(server, server.secretKey())) {
            put(client, server, "counter", "0");
            int acknowledged = runTogether(() -> {
                int wins = 0;
                while (wins < INCREMENTS) {
                    wins += increment(client, server) ? 1 : 0;
                }
                return wins;
            });
            assertThat(acknowledged).isEqualTo(THREADS * INCREMENTS);
            assertThat(text(client, server, "counter")).isEqualTo("800");
        }
    }

    @Test
    void oneOfManyCreatorsWins() throws Exception {
        try (LocalS3 server = LocalS3.start();
                S3Client client = client(server, server.secretKey())) {
            for (int round = 0; round < 20; round++) {
                String key = "created-" + round;
                assertThat(runTogether(() -> create(client, server, key) ? 1 : 0))
                        .as("winners of " + key)
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void theLossyServerAcknowledgesMoreThanItKeeps() throws Exception {
        try (LocalS3 server = LocalS3.startLossy();
                S3Client client = client(server, server.secretKey())) {
            put(client, server, "counter", "0");
            int acknowledged = 0;
            int found = 0;
            for (int round = 0; round < 20 && found == acknowledged; round++) {
                acknowledged += runTogether(() -> {
                    int wins = 0;
                    for (int i = 0; i < INCREMENTS; i++) {
                        wins += increment(client, server) ? 1 : 0;
                    }
                    return wins;
                });
                found = Integer.parseInt(text(client, server, "counter"));
            }
            assertThat(found).isLessThan(acknowledged);
        }
    }

    @Test
    void aWrongSecretIsRefused() {
        try (LocalS3 server = LocalS3.start();
                S3Client client = client(server, "guessed")) {
            assertThatThrownBy(() -> put(client, server, "key", "value"))
                    .isInstanceOfSatisfying(
                            S3Exception.class, e -> assertThat(e.statusCode()).isEqualTo(403));
        }
    }

    @Test
    void aGivenFolderKeepsItsObjects(@TempDir Path folder) {
        try (LocalS3 server = LocalS3.start(folder);
                S3Client client = client(server, server.secretKey())) {
            put(client, server, "kept", "value");
        }
        try (LocalS3 server = LocalS3.start(folder);
                S3Client client = client(server, server.secretKey())) {
            assertThat(text(client, server, "kept")).isEqualTo("value");
        }
    }

    @Test
    void closingDeletesTheTemporaryFolderAndMayBeRepeated() {
        LocalS3 server = LocalS3.start();
        Path folder = server.folder().orElseThrow();
        try (S3Client client = client(server, server.secretKey())) {
            server.createBucket("second");
            server.createBucket("second");
            client.putObject(b -> b.bucket("second").key("a/b/c"), RequestBody.fromString("value"));
        }
        assertThat(folder).isNotEmptyDirectory();
        server.close();
        server.close();
        assertThat(folder).doesNotExist();
    }

    private static boolean increment(S3Client client, LocalS3 server) {
        ResponseBytes<GetObjectResponse> current =
                client.getObjectAsBytes(b -> b.bucket(server.bucket()).key("counter"));
        int next = Integer.parseInt(current.asUtf8String()) + 1;
        return accepted(() -> client.putObject(
                b -> b.bucket(server.bucket())
                        .key("counter")
                        .ifMatch(current.response().eTag()),
                RequestBody.fromString(String.valueOf(next))));
    }

    private static boolean create(S3Client client, LocalS3 server, String key) {
        return accepted(() -> client.putObject(
                b -> b.bucket(server.bucket()).key(key).ifNoneMatch("*"), RequestBody.fromString("mine")));
    }

    private static boolean accepted(Runnable write) {
        try {
            write.run();
            return true;
        } catch (S3Exception e) {
            assertThat(e.statusCode()).isEqualTo(412);
            return false;
        }
    }

    /** Runs the task in all threads at once; returns the sum of what they return. */
    private static int runTogether(Callable<Integer> task) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        CyclicBarrier start = new CyclicBarrier(THREADS);
        try {
            List<Future<Integer>> results = threads.invokeAll(IntStream.range(0, THREADS)
                    .<Callable<Integer>>mapToObj(i -> () -> {
                        start.await();
                        return task.call();
                    })
                    .toList());
            int sum = 0;
            for (Future<Integer> result : results) {
                sum += result.get();
            }
            return sum;
        } finally {
            threads.shutdownNow();
        }
    }

    private static void put(S3Client client, LocalS3 server, String key, String value) {
        client.putObject(b -> b.bucket(server.bucket()).key(key), RequestBody.fromString(value));
    }

    private static String text(S3Client client, LocalS3 server, String key) {
        return new String(
                client.getObjectAsBytes(b -> b.bucket(server.bucket()).key(key)).asByteArray(), UTF_8);
    }

    private static S3Client client(LocalS3 server, String secretKey) {
        return S3Client.builder()
                .endpointOverride(server.endpoint())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(server.accessKey(), secretKey)))
                .build();
    }
}
