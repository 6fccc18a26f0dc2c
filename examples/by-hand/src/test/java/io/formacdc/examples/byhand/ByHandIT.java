package io.formacdc.examples.byhand;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.examples.localstack.CtrlC;
import io.formacdc.examples.localstack.LocalPostgres;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ByHandIT {
    @TempDir
    private Path folder;

    @Test
    void theLakeEqualsPostgresAndTheLastLineSaysSo() {
        Run run = Run.of(null, false);
        // 5,000 in batches of 2,000; then every third of them, and all of one floor of seven.
        assertThat(run.lines())
                .containsExactly(
                        "Forma CDC for Java: a flush by hand",
                        "flushed 5,000 rows in 3 files",
                        "flushed 2,143 rows in 2 files",
                        "OK: the lake equals PostgreSQL, 4,286 sensors");
        assertThat(run.equal()).isTrue();
    }

    @Test
    void oneValueThatDiffersFailsTheRun() {
        Run run = Run.of(null, true);
        assertThat(run.lines()).last().isEqualTo("FAILED: 2 rows of lake and PostgreSQL have no equal in the other");
        assertThat(run.equal()).isFalse();
    }

    @Test
    void aWrongPasswordIsTheLastLineWithoutBeingShown() {
        Run run = Run.of("not-the-word", false);
        assertThat(run.lines()).last().asString().startsWith("FAILED: ").contains("password authentication failed");
        assertThat(run.lines()).noneMatch(line -> line.contains("not-the-word"));
        assertThat(run.equal()).isFalse();
    }

    @Timeout(120)
    @ParameterizedTest
    @ValueSource(strings = {"Forma CDC", "flushed 5,000"})
    void ctrlCEndsItShortAndLeavesNothingBehind(String line) throws Exception {
        Path files = Files.createDirectory(folder.resolve("files"));
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + files,
                "-Dot.epg.working-dir=" + folder.resolve("postgres"),
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ByHand.class.getName());
        Process process = builder.redirectErrorStream(true).start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            for (String read = out.readLine(); read != null; read = out.readLine()) {
                lines.add(read);
                if (read.startsWith(line)) {
                    // The first line comes before the servers: they are then at their start.
                    awaitServers(files);
                    process.toHandle().destroy(); // which, unlike that of the process, leaves its output open
                }
            }
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).isEqualTo(128 + 15);
        assertThat(lines)
                .hasSizeBetween(2, 3)
                .last()
                .isEqualTo("FAILED: interrupted; the servers are stopped, their files deleted");
        try (Stream<Path> left = Files.list(files)) {
            assertThat(left).noneMatch(path -> path.getFileName().toString().matches("(cdc-|local-s3-|forma-).*"));
        }
    }

    /** Until a server of its own has begun to start, if there is to be one. */
    private static void awaitServers(Path files) throws IOException {
        while (System.getenv(LocalPostgres.URL_VARIABLE) == null) {
            try (Stream<Path> started = Files.list(files)) {
                if (started.anyMatch(path -> path.getFileName().toString().startsWith("cdc-postgres"))) {
                    return;
                }
            }
        }
    }

    private record Run(boolean equal, List<String> lines) {
        static Run of(@Nullable String pgPassword, boolean plantsDifference) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            boolean equal;
            try (CtrlC ctrlC = CtrlC.interruptsThisThread()) {
                equal = new ByHand(new PrintStream(bytes, true, StandardCharsets.UTF_8), pgPassword, plantsDifference)
                        .run(ctrlC);
            }
            return new Run(equal, bytes.toString(StandardCharsets.UTF_8).lines().toList());
        }
    }
}
