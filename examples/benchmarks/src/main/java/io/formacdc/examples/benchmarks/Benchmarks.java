package io.formacdc.examples.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs the benches, each of which prints a line of JSON, and then a table. {@code mvn -q -Pbenchmark} in the root folder
 * runs all, {@code -Dbench=flush,export} some, {@code -Dscale=0.1} all with a tenth of the rows.
 */
public final class Benchmarks {
    private Benchmarks() {}

    static List<Bench> all() {
        return List.of(
                FlushBench.byDefault(),
                FlushBench.inOneFile(),
                ExportBench.againstDrain(),
                ExportBench.againstParquetJava(),
                ExportBench.againstAppender(),
                ExportBench.againstSpark(),
                new BaseExportBench(),
                new CompactionBench(),
                new ViewBench(),
                SmallBench.withLatency(),
                SmallBench.withoutLatency(),
                new IdleBench(),
                ManifestBench.withoutLatency(),
                ManifestBench.withLatency(),
                new DecoderBench(),
                new CompactionMemoryBench(),
                new GrowthBench(),
                new MemoryBench());
    }

    public static void main(String[] args) throws Exception {
        Settings settings;
        List<Bench> benches;
        try {
            settings = Settings.ofSystemProperties();
            benches = chosen(settings);
        } catch (IllegalArgumentException e) {
            System.err.println("FAILED: " + e.getMessage());
            System.exit(1);
            return;
        }
        run(benches, settings, System.out);
    }

    /**
     * The benches that were asked for.
     *
     * @throws IllegalArgumentException if there is none of a name, or a chart is wanted and none that draws it
     */
    static List<Bench> chosen(Settings settings) {
        List<String> names = all().stream().map(Bench::name).toList();
        Set<String> unknown = new TreeSet<>(settings.benches());
        names.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("there is no bench \"" + String.join("\", \"", unknown)
                    + "\"; there are " + String.join(", ", names));
        }
        if (settings.chart().isPresent() && !settings.selects(GrowthBench.NAME)) {
            throw new IllegalArgumentException("a chart is drawn by the bench " + GrowthBench.NAME + " alone");
        }
        return all().stream().filter(bench -> settings.selects(bench.name())).toList();
    }

    /** Runs these benches one after another. */
    static List<Figure> run(List<Bench> benches, Settings settings, PrintStream out) throws Exception {
        List<Figure> figures = new ArrayList<>();
        Map<String, Bench> byFigure = new TreeMap<>();
        try (Stage stage = new Stage(settings)) {
            for (Bench bench : benches) {
                if (!bench.isRunnable(stage)) {
                    out.println("# " + bench.name() + ": not here, its reference is built by -Pbenchmark alone");
                    continue;
                }
                for (Figure figure : bench.run(stage)) {
                    out.println(figure.toJson());
                    figures.add(figure);
                    byFigure.put(figure.bench(), bench);
                }
            }
        }
        out.println();
        out.println(Table.of(figures, byFigure));
        return figures;
    }
}
