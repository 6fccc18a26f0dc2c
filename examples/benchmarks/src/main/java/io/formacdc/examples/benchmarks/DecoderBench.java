package io.formacdc.examples.benchmarks;

import io.formacdc.duckdb.DecoderBenchmark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** {@link DecoderBenchmark} as JMH measures it, in a JVM of its own. */
record DecoderBench() implements Bench {
    private static final int ITERATIONS = 5;
    private static final int MILLIS_OF_AN_ITERATION = 2_000;
    private static final int LEAST_MILLIS = 50;

    @Override
    public String name() {
        return "decoder";
    }

    @Override
    public String subject() {
        return "milliseconds of one thread to decode 100,000 rows of W1 that have arrived (the ratio is their number)";
    }

    @Override
    public String reference() {
        return "nothing";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        TimeValue time = TimeValue.milliseconds(Math.max(
                LEAST_MILLIS,
                Math.round(MILLIS_OF_AN_ITERATION * stage.settings().scale())));
        Path log = stage.newFolder().resolve("jmh.log");
        Options options = new OptionsBuilder()
                .include(DecoderBenchmark.class.getName())
                .warmupIterations(ITERATIONS)
                .warmupTime(time)
                .measurementIterations(ITERATIONS)
                .measurementTime(time)
                .forks(1)
                .addProfiler(GCProfiler.class)
                .output(log.toString())
                .build();
        RunResult result = run(options, log);
        double rowsPerSecond = result.getPrimaryResult().getScore();
        Result<?> bytesPerRow =
                Objects.requireNonNull(result.getSecondaryResults().get("gc.alloc.rate.norm"));
        double millis = 1000 / rowsPerSecond * 100_000;
        return List.of(new Figure(name(), millis, 0, millis, 0, DecoderBenchmark.ROWS, java.util.Map.of())
                .with("rows_per_second", Math.round(rowsPerSecond))
                .with(
                        "error_of_rows_per_second",
                        Math.round(result.getPrimaryResult().getScoreError()))
                .with("bytes_per_row", Math.round(bytesPerRow.getScore())));
    }

    private static RunResult run(Options options, Path log) throws IOException {
        try {
            return new Runner(options).runSingle();
        } catch (RunnerException e) {
            throw new IllegalStateException("JMH failed:\n" + Files.readString(log), e);
        }
    }
}
