package io.formacdc.examples.benchmarks;

import io.formacdc.examples.benchmarks.GrowthChart.Point;
import io.formacdc.examples.benchmarks.GrowthChart.Series;
import io.formacdc.examples.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Time and peak memory of a flush and of an initial export, of one, four and sixteen times as many rows. */
record GrowthBench() implements Bench {
    /** Parts of the standard work, in sixteenths of its fourfold. */
    private static final List<Integer> TIMES = List.of(1, 4, 16);

    private static final int SMALLEST = Workload.STANDARD_ROWS / 4;

    @Override
    public String name() {
        return "growth";
    }

    @Override
    public String subject() {
        return "time for each row at 16 times the rows (one run of each)";
    }

    @Override
    public String reference() {
        return "time for each row at a quarter of W1";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        List<Point> flushes = new ArrayList<>();
        List<Point> exports = new ArrayList<>();
        for (int times : TIMES) {
            Workload work = new Workload(Workload.SCHEMA_ID, stage.settings().scaled(SMALLEST) * times);
            LocalPostgres database = stage.database(work);
            Child.Outcome flush = MemoryBench.flush(stage, work);
            flushes.add(new Point(work.rows(), flush.millis(), flush.peakBytes()));
            Child.Outcome export = Child.run(stage, Child.Work.EXPORT_BASE, database, stage.newFolder(), "4GB");
            Check.equal(work.rows(), export.rows(), "rows exported");
            exports.add(new Point(work.rows(), export.millis(), export.peakBytes()));
            if (!work.equals(stage.workload())) {
                stage.drop(work);
            }
        }
        List<Series> all = List.of(new Series("flush", flushes), new Series("initial export", exports));
        Path chart = stage.settings().chart().orElse(null);
        if (chart != null) {
            Files.writeString(chart, GrowthChart.svg(all));
        }
        return List.of(figure("growth-flush", flushes), figure("growth-base", exports));
    }

    private static Figure figure(String name, List<Point> points) {
        Point first = points.get(0);
        Point last = points.get(points.size() - 1);
        double ratio = last.millis() / last.rows() / (first.millis() / first.rows());
        Figure figure = new Figure(name, ratio, 0, last.millis(), first.millis(), last.rows(), Map.of());
        for (Point point : points) {
            figure = figure.with("ms_of_" + point.rows(), point.millis())
                    .with("peak_mb_of_" + point.rows(), point.peakBytes() / 1_000_000);
        }
        return figure;
    }
}
