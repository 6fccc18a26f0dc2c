package io.formacdc.examples.benchmarks;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * What can be chosen, by system properties that begin with {@code benchmark.}.
 *
 * @param benches names of the benches to run; empty for all
 * @param scale 1 for the sizes that the marks are for
 * @param chart where to draw how time and memory grow; empty to draw nothing
 * @param references the build folder of the references; empty where they were not built
 */
record Settings(Set<String> benches, double scale, Optional<Path> chart, Optional<Path> references) {
    static Settings ofSystemProperties() {
        return new Settings(
                text("benchmark.bench")
                        .filter(names -> !names.equals("all"))
                        .map(names -> Set.of(names.split(",", -1)))
                        .orElse(Set.of()),
                Double.parseDouble(text("benchmark.scale").orElse("1")),
                text("benchmark.chart").map(Path::of),
                text("benchmark.references").map(Path::of));
    }

    private static Optional<String> text(String property) {
        return Optional.ofNullable(System.getProperty(property)).filter(value -> !value.isBlank());
    }

    boolean selects(String bench) {
        return benches.isEmpty() || benches.contains(bench);
    }

    /** A number of rows at this scale. */
    int scaled(int rows) {
        return Math.max(100, (int) Math.round(rows * scale));
    }
}
