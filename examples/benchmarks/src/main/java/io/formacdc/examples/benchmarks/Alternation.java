package io.formacdc.examples.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Two things measured in turn, A B A B, so that what slows the machine down meanwhile slows both. The first rounds of
 * each are for warming up, the median of the others counts.
 *
 * @param warmUps rounds that do not count
 * @param rounds rounds that do
 */
record Alternation(int warmUps, int rounds) {
    /** The least that a figure may rest on. */
    static final Alternation USUAL = new Alternation(1, 5);

    /** Something to measure. */
    interface Task {
        /** What has to be so before a round, not measured. */
        default void prepare() throws Exception {}

        void run() throws Exception;
    }

    record Medians(double oursMillis, double referenceMillis) {
        double ratio() {
            return oursMillis / referenceMillis;
        }
    }

    Medians measure(Task ours, Task reference) throws Exception {
        List<Double> oursMillis = new ArrayList<>();
        List<Double> referenceMillis = new ArrayList<>();
        for (int round = -warmUps; round < rounds; round++) {
            double a = time(ours);
            double b = time(reference);
            if (round >= 0) {
                oursMillis.add(a);
                referenceMillis.add(b);
            }
            if (Boolean.getBoolean("benchmark.verbose")) {
                System.err.printf("  round %d: ours %.0f ms, reference %.0f ms%n", round, a, b);
            }
        }
        return new Medians(median(oursMillis), median(referenceMillis));
    }

    private static double time(Task task) throws Exception {
        task.prepare();
        long begin = System.nanoTime();
        task.run();
        return (System.nanoTime() - begin) / (double) TimeUnit.MILLISECONDS.toNanos(1);
    }

    static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
