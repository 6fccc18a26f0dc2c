package io.formacdc.examples.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Figures for people, as Markdown. */
final class Table {
    private Table() {}

    static String of(List<Figure> figures, Map<String, Bench> benches) {
        return "| Bench | Against | Rows | Ours | Reference | Ratio | Mark | |\n|---|---|---:|---:|---:|---:|---:|---|\n"
                + figures.stream()
                        .map(figure -> row(figure, benches.get(figure.bench())))
                        .collect(Collectors.joining("\n"));
    }

    private static String row(Figure figure, @org.jspecify.annotations.Nullable Bench bench) {
        return String.format(
                Locale.ROOT,
                "| `%s`: %s | %s | %,d | %s | %s | %.3f | %s | %s |",
                figure.bench(),
                bench == null ? "" : bench.subject(),
                bench == null ? "" : bench.reference(),
                figure.rows(),
                millis(figure.oursMillis()),
                millis(figure.referenceMillis()),
                figure.ratio(),
                figure.mark() == 0 ? "" : String.format(Locale.ROOT, "%.3f", figure.mark()),
                figure.mark() == 0 ? "" : figure.isMarkReached() ? "reached" : "missed");
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%,.0f ms", millis);
    }
}
