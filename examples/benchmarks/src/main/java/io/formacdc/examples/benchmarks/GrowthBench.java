package io.formacdc.examples.benchmarks;

import io.formacdc.examples.benchmarks.GrowthChart.Point;
import io.formacdc.examples.benchmarks.GrowthChart.Series;
import io.formacdc.examples.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Time and peak memory of a process that does one thing, with one, four and sixteen times as many rows. */
record GrowthBench() implements Bench {
    static final String NAME = "growth";

    /** Parts of the standard work, in sixteenths of its fourfold. */
    private static final List<Integer> TIMES = List.of(1, 4, 16);

    private static final int SMALLEST = Workload.STANDARD_ROWS / 4;

    @Override
    public String name() {
        return NAME;
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
        Map<String, List<Point>> points = new LinkedHashMap<>();
        for (int times : TIMES) {
            Workload work = new Workload(Workload.SCHEMA_ID, stage.settings().scaled(SMALLEST) * times);
            measure(stage, work)
                    .forEach((name, outcome) -> points.computeIfAbsent(name, n -> new ArrayList<>())
                            .add(new Point(work.rows(), outcome.millis(), outcome.peakBytes())));
            if (!work.equals(stage.workload())) {
                stage.drop(work);
            }
        }
        Path chart = stage.settings().chart().orElse(null);
        if (chart != null) {
            Files.writeString(
                    chart,
                    GrowthChart.svg(points.entrySet().stream()
                            .map(series -> new Series(series.getKey(), series.getValue()))
                            .toList()));
        }
        return points.entrySet().stream()
                .map(series -> figure("growth-" + series.getKey(), series.getValue()))
                .toList();
    }

    /** One run of each kind of work, in the order of a lake's life. */
    private static Map<String, Child.Outcome> measure(Stage stage, Workload work) throws Exception {
        LocalPostgres database = stage.database(work);
        Path lake = stage.newFolder();
        Map<String, Child.Outcome> outcomes = new LinkedHashMap<>();
        outcomes.put("flush", MemoryBench.flush(stage, work));
        Child.Outcome base = inOneLake(stage, Child.Work.EXPORT_BASE, work, lake);
        Check.equal(work.rows(), base.rows(), "rows exported");
        outcomes.put("base", base);
        try (Connection connection = database.dataSource().getConnection()) {
            work.makeDirty(connection, CompactionBench.changedRows(work));
        }
        inOneLake(stage, Child.Work.FLUSH, work, lake);
        Child.Outcome view = inOneLake(stage, Child.Work.VIEW, work, lake);
        Check.equal(work.rows(), view.rows(), "rows in the view");
        outcomes.put("view", view);
        outcomes.put("compaction", inOneLake(stage, Child.Work.COMPACT, work, lake));
        return outcomes;
    }

    private static Child.Outcome inOneLake(Stage stage, Child.Work kind, Workload work, Path lake) throws Exception {
        return Child.run(
                stage,
                kind,
                stage.database(work),
                lake,
                MemoryBench.DUCK_MEMORY,
                LakeOnDisk.megabytes(work, CompactionBench.BASE_FILES));
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
