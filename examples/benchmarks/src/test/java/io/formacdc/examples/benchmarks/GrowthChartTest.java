package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.examples.benchmarks.GrowthChart.Point;
import io.formacdc.examples.benchmarks.GrowthChart.Series;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrowthChartTest {
    @Test
    void eachSeriesIsALineThroughItsPointsInBothCharts() {
        String svg = GrowthChart.svg(List.of(
                new Series("flush", List.of(new Point(100, 1_000, 50_000_000), new Point(400, 2_000, 100_000_000))),
                new Series("export", List.of(new Point(100, 500, 50_000_000), new Point(400, 1_000, 60_000_000)))));
        assertThat(svg).startsWith("<svg").endsWith("</svg>\n").contains(">flush<", ">export<");
        assertThat(svg.split("<polyline", -1)).hasSize(1 + 4);
        assertThat(svg.split("<circle", -1)).hasSize(1 + 8);
        // A quarter of 270 right of 70; one of at most 2.2 seconds, so as much above the bottom at 240 of 190.
        assertThat(svg).contains("points=\"137.5,153.6 340.0,67.3\"");
    }
}
