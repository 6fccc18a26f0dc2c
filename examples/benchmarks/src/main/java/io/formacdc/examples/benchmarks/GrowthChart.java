package io.formacdc.examples.benchmarks;

import java.util.List;
import java.util.Locale;

/** Two charts side by side, time and peak memory against rows, as SVG that is legible on light and dark ground. */
final class GrowthChart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 300;
    private static final int PLOT_WIDTH = 270;
    private static final int PLOT_HEIGHT = 190;
    private static final int TOP = 50;
    private static final List<String> COLOURS = List.of("#2f7ed8", "#e07b1a", "#3a9d4f", "#9b59b6");

    private GrowthChart() {}

    /** One size of the work. */
    record Point(long rows, double millis, long peakBytes) {}

    /** One kind of work. */
    record Series(String name, List<Point> points) {}

    private interface Measure {
        double of(Point point);
    }

    static String svg(List<Series> all) {
        StringBuilder svg = new StringBuilder();
        svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + WIDTH + " " + HEIGHT
                + "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#777\">\n");
        svg.append("<title>Time and peak memory against rows</title>\n");
        plot(svg, all, 70, "seconds", point -> point.millis() / 1000);
        plot(svg, all, 70 + PLOT_WIDTH + 110, "peak memory of the process, MB", point -> point.peakBytes() / 1e6);
        for (int i = 0; i < all.size(); i++) {
            int x = 70 + 140 * i;
            svg.append(text(x + 16, HEIGHT - 8, "start", all.get(i).name()));
            svg.append("<rect x=\"" + x + "\" y=\"" + (HEIGHT - 18) + "\" width=\"10\" height=\"10\" fill=\""
                    + COLOURS.get(i) + "\"/>\n");
        }
        return svg.append("</svg>\n").toString();
    }

    private static void plot(StringBuilder svg, List<Series> all, int left, String title, Measure measure) {
        List<Point> points = all.stream().flatMap(s -> s.points().stream()).toList();
        double maxRows = points.stream().mapToDouble(Point::rows).max().orElse(1);
        double maxValue = 1.1 * points.stream().mapToDouble(measure::of).max().orElse(1);
        int bottom = TOP + PLOT_HEIGHT;
        svg.append(text(left, TOP - 18, "start", title));
        svg.append("<path d=\"M" + left + " " + TOP + "V" + bottom + "H" + (left + PLOT_WIDTH)
                + "\" fill=\"none\" stroke=\"#999\"/>\n");
        svg.append(text(left - 6, TOP + 4, "end", number(maxValue)));
        svg.append(text(left - 6, bottom + 4, "end", "0"));
        for (Point point : all.get(0).points()) {
            double x = left + PLOT_WIDTH * point.rows() / maxRows;
            svg.append(text(x, bottom + 18, "middle", String.format(Locale.ROOT, "%,d", point.rows())));
        }
        for (int i = 0; i < all.size(); i++) {
            StringBuilder line = new StringBuilder();
            for (Point point : all.get(i).points()) {
                double x = left + PLOT_WIDTH * point.rows() / maxRows;
                double y = bottom - PLOT_HEIGHT * measure.of(point) / maxValue;
                line.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
                svg.append(String.format(
                        Locale.ROOT,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n",
                        x,
                        y,
                        COLOURS.get(i)));
            }
            svg.append("<polyline points=\"" + line.toString().strip() + "\" fill=\"none\" stroke-width=\"2\" stroke=\""
                    + COLOURS.get(i) + "\"/>\n");
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%,.0f", value);
    }

    private static String text(double x, double y, String anchor, String text) {
        return String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text);
    }
}
