package io.formacdc.examples.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Figures for people, as Markdown. */
final class Table {
    private Table() {}

    static String of(List<Figure> figures, Map<String, Bench> benches) {
        return "| Bench | Against | Rows | Ours | Reference | Processors | Ratio | Mark | |\n"
                + "|---|---|---:|---:|---:|---:|---:|---:|---|\n"
                + figures.stream()
                        .map(figure -> row(figure, benches.get(figure.bench())))
                        .collect(Collectors.joining("\n"));
    }

    private static String row(Figure figure, @org.jspecify.annotations.Nullable Bench bench) {
        return String.format(
                Locale.ROOT,
                "| `%s`: %s | %s | %,d | %s | %s | %s | %.3f | %s | %s |",
                figure.bench(),
                bench == null ? "" : bench.subject(),
                bench == null ? "" : bench.reference(),
                figure.rows(),
                millis(figure.oursMillis()),
                millis(figure.referenceMillis()),
                processors(figure),
                figure.ratio(),
                figure.mark() == 0 ? "" : String.format(Locale.ROOT, "%.3f", figure.mark()),
                figure.mark() == 0 ? "" : figure.isMarkReached() ? "reached" : "missed");
    }

    /** How many were busy, with ours and with the reference. */
    private static String processors(Figure figure) {
        Number ours = figure.further().get(Figure.OURS_BUSY);
        Number reference = figure.further().get(Figure.REFERENCE_BUSY);
        return ours == null || reference == null
                ? ""
                : String.format(Locale.ROOT, "%.2f : %.2f", ours.doubleValue(), reference.doubleValue());
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%,.0f ms", millis);
    }
}
