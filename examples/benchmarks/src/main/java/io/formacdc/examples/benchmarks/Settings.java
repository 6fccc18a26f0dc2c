package io.formacdc.examples.benchmarks;

import java.nio.file.Files;
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
    private static final int MOST_SCALE = 100;

    /** @throws IllegalArgumentException if the scale is no size, or the chart's folder is not there */
    Settings {
        if (!(scale > 0 && scale <= MOST_SCALE)) {
            throw new IllegalArgumentException("scale is a number above 0 and up to " + MOST_SCALE + ", not " + scale);
        }
        chart.map(Path::toAbsolutePath).map(Path::getParent).ifPresent(folder -> {
            if (!Files.isDirectory(folder)) {
                throw new IllegalArgumentException("there is no folder " + folder + " to draw the chart in");
            }
        });
    }

    /** @throws IllegalArgumentException naming what cannot be */
    static Settings ofSystemProperties() {
        return new Settings(
                Optional.ofNullable(System.getProperty("benchmark.bench"))
                        .filter(names -> !names.equals("all"))
                        .map(names -> Set.of(names.split(",", -1)))
                        .orElse(Set.of()),
                scaleOf(text("benchmark.scale").orElse("1")),
                text("benchmark.chart").map(Path::of),
                text("benchmark.references").map(Path::of));
    }

    private static double scaleOf(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("scale is a number, as in 0.1, not " + text, e);
        }
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
