package io.formacdc.examples.benchmarks;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What a bench found.
 *
 * @param ratio what is compared with the mark; ours divided by the reference, lower is better
 * @param mark greatest ratio that is good; 0 for a figure without a mark
 * @param further other numbers, by name
 */
record Figure(
        String bench,
        double ratio,
        double mark,
        double oursMillis,
        double referenceMillis,
        long rows,
        Map<String, Number> further) {
    /** Processors that were busy. */
    static final String OURS_BUSY = "ours_processors";

    static final String REFERENCE_BUSY = "reference_processors";

    Figure {
        further = new LinkedHashMap<>(further);
    }

    static Figure of(String bench, double mark, Alternation.Medians medians, long rows) {
        Figure figure = new Figure(
                bench, medians.ratio(), mark, medians.oursMillis(), medians.referenceMillis(), rows, Map.of());
        return Double.isNaN(medians.oursBusy() + medians.referenceBusy())
                ? figure
                : figure.with(OURS_BUSY, medians.oursBusy()).with(REFERENCE_BUSY, medians.referenceBusy());
    }

    Figure with(String name, Number value) {
        Map<String, Number> more = new LinkedHashMap<>(further);
        more.put(name, value);
        return new Figure(bench, ratio, mark, oursMillis, referenceMillis, rows, more);
    }

    boolean isMarkReached() {
        return mark == 0 || ratio <= mark;
    }

    /** One object on one line. */
    String toJson() {
        Map<String, Number> numbers = new LinkedHashMap<>();
        numbers.put("ratio", ratio);
        if (mark > 0) {
            numbers.put("mark", mark);
        }
        numbers.put("ours_ms", oursMillis);
        numbers.put("reference_ms", referenceMillis);
        numbers.put("rows", rows);
        numbers.putAll(further);
        return numbers.entrySet().stream()
                .map(e -> "\"" + e.getKey() + "\": " + number(e.getValue()))
                .collect(Collectors.joining(", ", "{\"bench\": \"" + bench + "\", ", "}"));
    }

    private static String number(Number value) {
        return value instanceof Double d
                ? String.format(Locale.ROOT, Math.abs(d) < 10 ? "%.3f" : "%.1f", d)
                : Objects.toString(value);
    }
}
