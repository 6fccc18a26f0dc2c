package io.formacdc.examples.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.formacdc.core.CdcListener;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3FullClient;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** The server dies in the middle of a pass, and another one takes over on a copy of its disk, at another address. */
class FailoverIT {
    private static final int ROWS = 90;

    @Test
    void nothingIsLostWhenAnotherServerTakesOver(@TempDir Path first, @TempDir Path second, @TempDir Path spill)
            throws Exception {
        boolean ownServer = System.getenv(LocalPostgres.URL_VARIABLE) == null;
        if (!ownServer) {
            System.out.println("FailoverIT: not tried on a server that is not its own to kill");
        }
        assumeTrue(ownServer, "the server is this test's own");
        try (LocalS3 s3 = LocalS3.start();
                EmbeddedPostgres dying = start(first)) {
            Deployment before = deployment(dying, s3, spill).createTables();
            write(before, true);
            try (S3Client client = before.client();
                    CdcRunner runner = Deployment.runner(
                            before.config().batchSize(ROWS / 3).build(),
                            S3FullClient.of(client),
                            afterTheFirstFile(() -> kill(first)))) {
                assertThat(catchThrowable(() -> runner.runOnce(false)))
                        .isInstanceOf(SchemaFlushException.class)
                        .hasMessageContaining("schema 1, ");
            }
            assertThat(spill).isEmptyDirectory();
            copy(first, second);
            try (EmbeddedPostgres standIn = start(second)) {
                Deployment after = deployment(standIn, s3, spill, before.prefix());
                assertLakeIsWhole(after);
            }
        }
    }

    private static void assertLakeIsWhole(Deployment after) throws Exception {
        try (S3Client client = after.client();
                Oracle oracle = new Oracle(after);
                CdcRunner runner =
                        Deployment.runner(after.config().build(), S3FullClient.of(client), CdcListener.NONE)) {
            oracle.check(1);
            // What was marked before is on the disk, and is not flushed again.
            assertThat(runner.runOnce(false).rows()).isLessThanOrEqualTo(ROWS / 3 * 2);
            oracle.checkAtRest(1);
            write(after, false);
            runner.runOnce(false);
            oracle.checkAtRest(1);
        }
    }

    private static void write(Deployment deployment, boolean isLive) throws Exception {
        try (Connection connection = deployment.connect()) {
            for (int n = 0; n < (isLive ? ROWS : 10); n++) {
                Writer.change(connection, 1, Writer.id(1, n), System.currentTimeMillis(), isLive);
            }
        }
    }

    private static EmbeddedPostgres start(Path data) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                // What is acknowledged is on the disk.
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("full_page_writes", "on")
                .start();
    }

    private static Deployment deployment(EmbeddedPostgres postgres, LocalS3 s3, Path spill) {
        return deployment(postgres, s3, spill, "bed-" + UUID.randomUUID());
    }

    private static Deployment deployment(EmbeddedPostgres postgres, LocalS3 s3, Path spill, String prefix) {
        return new Deployment(
                "localhost",
                postgres.getPort(),
                "postgres",
                "postgres",
                "postgres",
                s3.endpoint().toString(),
                s3.accessKey(),
                s3.secretKey(),
                s3.bucket(),
                prefix,
                spill.toString());
    }

    private static CdcListener afterTheFirstFile(Runnable work) {
        return new CdcListener() {
            private boolean isDone;

            @Override
            public void fileFlushed(int schemaId, FlushedFile file, long markedRows) {
                if (!isDone) {
                    isDone = true;
                    work.run();
                }
            }
        };
    }

    /** Without a word: nothing is written to the disk any more. */
    private static void kill(Path data) {
        try {
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"));
            ProcessHandle server =
                    ProcessHandle.of(Long.parseLong(lines.get(0).strip())).orElseThrow();
            List<ProcessHandle> sessions = server.descendants().toList();
            server.destroyForcibly();
            sessions.forEach(ProcessHandle::destroyForcibly);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> !server.isAlive() && sessions.stream().noneMatch(ProcessHandle::isAlive));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to) throws Exception {
        Process copy = new ProcessBuilder("cp", "-a", from + "/.", to.toString())
                .inheritIO()
                .start();
        assertThat(copy.waitFor(1, TimeUnit.MINUTES)).isTrue();
        Files.delete(to.resolve("postmaster.pid"));
        try (Stream<Path> copied = Files.list(to)) {
            assertThat(copied).isNotEmpty();
        }
    }
}
