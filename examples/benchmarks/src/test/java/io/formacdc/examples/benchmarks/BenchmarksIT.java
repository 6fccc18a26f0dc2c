package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The benches run, at a size that tells nothing of speed. */
class BenchmarksIT {
    /** Each starts a JVM for every figure. */
    private static final Set<String> LONG = Set.of("growth", "memory", "compaction-memory");

    @Test
    @Timeout(180)
    void everyBenchPrintsItsLineAndStandsInTheTable() throws Exception {
        List<Bench> benches = Benchmarks.all().stream()
                .filter(bench -> !LONG.contains(bench.name()))
                .toList();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Settings tiny = new Settings(Set.of(), 0.002, Optional.empty(), Optional.empty());

        List<Figure> figures = Benchmarks.run(benches, tiny, new PrintStream(out, true, StandardCharsets.UTF_8));

        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        for (Figure figure : figures) {
            assertThat(lines)
                    .anyMatch(line -> line.matches("\\{\"bench\": \"" + figure.bench()
                            + "\", \"ratio\": [0-9.]+,"
                            + (figure.mark() > 0 ? " \"mark\": [0-9.]+," : "") + " \"ours_ms\": [0-9.]+,"
                            + " \"reference_ms\": [0-9.]+, \"rows\": [0-9]+.*}"));
            assertThat(lines).anyMatch(line -> line.startsWith("| `" + figure.bench() + "`: "));
        }
        for (Bench bench : benches) {
            boolean elsewhere = bench instanceof ExportBench export && export.other() instanceof ReferenceProcess;
            assertThat(figures.stream().anyMatch(f -> f.bench().startsWith(bench.name())))
                    .as(bench.name())
                    .isNotEqualTo(elsewhere);
        }
    }
}
