package io.formacdc.examples.localstack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Life and door of the server; what it does with objects is tried where there is a client, with the object stores. */
class LocalS3IT {
    @Test
    void anUnsignedWriteIsRefused() throws Exception {
        try (LocalS3 server = LocalS3.start()) {
            assertThat(statusOfWrite(server, server.bucket() + "/key")).isEqualTo(403);
        }
    }

    @Test
    void closingStopsTheServerDeletesItsFolderAndMayBeRepeated() throws Exception {
        LocalS3 server = LocalS3.start();
        Path folder = server.folder().orElseThrow();
        server.createBucket("second");
        server.createBucket("second");
        assertThat(folder).isDirectoryContaining(path -> path.endsWith("second"));
        server.close();
        server.close();
        assertThat(folder).doesNotExist();
        assertThatThrownBy(() -> statusOfWrite(server, "second/key")).isInstanceOf(ConnectException.class);
    }

    @Test
    void aServerThatCannotStartLeavesNoFolder(@TempDir Path parent) throws Exception {
        Path folder = Files.createDirectory(parent.resolve("store"));
        assertThatThrownBy(() -> LocalS3.start(folder, true, store -> {
                    throw new IllegalStateException("the JVM is about to end");
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(folder).doesNotExist();
    }

    @Test
    void theEndOfTheJvmDeletesTheFolderToo() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Forgetful.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String folder = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        assertThat(process.waitFor()).isZero();
        assertThat(folder).contains("local-s3-");
        assertThat(Path.of(folder)).doesNotExist();
    }

    /** A process of its own, which does not close its server. */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) {
            System.out.println(LocalS3.start().folder().orElseThrow());
            System.exit(0);
        }
    }

    @Test
    void aGivenFolderStays(@TempDir Path parent) {
        Path folder = parent.resolve("not/there/yet");
        try (LocalS3 server = LocalS3.start(folder)) {
            server.createBucket("kept");
        }
        assertThat(folder.resolve("kept")).isDirectory();
    }

    @Test
    void serversDoNotShareAnything() {
        try (LocalS3 one = LocalS3.start();
                LocalS3 other = LocalS3.startLossy()) {
            assertThat(one.endpoint()).isNotEqualTo(other.endpoint());
            assertThat(one.folder()).isNotEqualTo(other.folder());
        }
    }

    private static int statusOfWrite(LocalS3 server, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(server.endpoint().resolve("/" + path))
                .PUT(HttpRequest.BodyPublishers.ofString("value"))
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
