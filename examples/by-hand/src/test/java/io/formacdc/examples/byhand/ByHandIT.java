package io.formacdc.examples.byhand;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ByHandIT {
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

    private record Run(boolean equal, List<String> lines) {
        static Run of(@Nullable String pgPassword, boolean plantsDifference) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            boolean equal = new ByHand(
                            new PrintStream(bytes, true, StandardCharsets.UTF_8), pgPassword, plantsDifference)
                    .run();
            return new Run(equal, bytes.toString(StandardCharsets.UTF_8).lines().toList());
        }
    }
}
