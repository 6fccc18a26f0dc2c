package io.formacdc.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.examples.localstack.CtrlC;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QuickstartIT {
    private static final int CITIES = 3_000;

    @Test
    void theLakeEqualsPostgresAndTheLastLineSaysSo() {
        Run run = Run.of(new Settings(CITIES, Optional.empty(), Optional.empty(), false));
        assertThat(run.lines())
                .contains("3,000 of 3,000 rows flushed", "  a second compaction: NOTHING_TO_DO")
                .anyMatch(line -> line.startsWith("3,000 rows in 1 new file ("))
                .anyMatch(line ->
                        line.matches("76 cities renamed \\(Q\\), 48 deleted \\(X, Z\\), 38 re-created \\(Z\\) .*"));
        assertThat(run.lastLine())
                .isEqualTo("OK: the lake equals PostgreSQL, 41,300 values of 2,950 cities compared, 0 differences");
        assertThat(run.equal()).isTrue();
    }

    @Test
    void oneValueThatDiffersFailsTheRunAndIsShown() {
        Run run = Run.of(new Settings(CITIES, Optional.empty(), Optional.empty(), true));
        assertThat(run.lines()).anyMatch(line -> line.matches("  city .*, latitude: .* in PostgreSQL, .* in the lake"));
        assertThat(run.lastLine()).startsWith("FAILED: the lake differs").endsWith(" 1 difference");
        assertThat(run.equal()).isFalse();
    }

    @Test
    void aWrongPasswordIsTheLastLineWithoutBeingShown() {
        Run run = Run.of(new Settings(CITIES, Optional.of("not-the-word"), Optional.empty(), false));
        assertThat(run.lastLine())
                .startsWith("FAILED: ")
                .contains("password authentication failed for user \"postgres\"", "28P01");
        assertThat(run.lines()).noneMatch(line -> line.contains("not-the-word"));
        assertThat(run.equal()).isFalse();
    }

    @Test
    void aMissingBucketIsTheLastLine() {
        Run run = Run.of(new Settings(CITIES, Optional.empty(), Optional.of("nowhere"), false));
        assertThat(run.lastLine()).startsWith("FAILED: ").contains("missing bucket", "s3://nowhere/");
        assertThat(run.equal()).isFalse();
    }

    private record Run(boolean equal, List<String> lines) {
        static Run of(Settings settings) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            boolean equal;
            try (CtrlC ctrlC = CtrlC.interruptsThisThread()) {
                equal = new Quickstart(settings, new Screen(new PrintStream(bytes, true, StandardCharsets.UTF_8)))
                        .run(ctrlC);
            }
            return new Run(equal, bytes.toString(StandardCharsets.UTF_8).lines().toList());
        }

        String lastLine() {
            return lines.get(lines.size() - 1);
        }
    }
}
