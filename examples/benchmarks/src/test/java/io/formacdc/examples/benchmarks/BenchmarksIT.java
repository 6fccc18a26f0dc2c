package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every bench runs, at a size that tells nothing of speed. */
class BenchmarksIT {
    @TempDir
    private Path folder;

    @Test
    @Timeout(180)
    void everyBenchPrintsItsLineAndStandsInTheTable() throws Exception {
        Path chart = folder.resolve("growth.svg");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Settings tiny = new Settings(Set.of(), 0.002, Optional.of(chart), Optional.empty());

        List<Figure> figures =
                Benchmarks.run(Benchmarks.all(), tiny, new PrintStream(out, true, StandardCharsets.UTF_8));

        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        for (Figure figure : figures) {
            assertThat(lines)
                    .anyMatch(line -> line.matches("\\{\"bench\": \"" + figure.bench()
                            + "\", \"ratio\": [0-9.]+, \"mark\": [0-9.]+, \"ours_ms\": [0-9.]+,"
                            + " \"reference_ms\": [0-9.]+, \"rows\": [0-9]+.*}"));
            assertThat(lines).anyMatch(line -> line.startsWith("| `" + figure.bench() + "`: "));
        }
        for (Bench bench : Benchmarks.all()) {
            boolean elsewhere = bench instanceof ExportBench export && export.other() instanceof ReferenceProcess;
            assertThat(figures.stream().anyMatch(f -> f.bench().startsWith(bench.name())))
                    .as(bench.name())
                    .isNotEqualTo(elsewhere);
        }
        assertThat(Files.readString(chart)).startsWith("<svg").endsWith("</svg>\n");
    }
}
