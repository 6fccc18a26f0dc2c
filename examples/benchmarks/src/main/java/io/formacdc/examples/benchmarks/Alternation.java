package io.formacdc.examples.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

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

    /**
     * @param oursBusy processors that were busy meanwhile, ours and everybody's; NaN if nobody knows
     * @param referenceBusy the same of the reference
     */
    record Medians(double oursMillis, double referenceMillis, double oursBusy, double referenceBusy) {
        double ratio() {
            return oursMillis / referenceMillis;
        }
    }

    /** In less than this, a hundredth of a second is too much. */
    private static final double LEAST_MILLIS_TO_TELL_BUSY = 100;

    /** One round of a task. */
    private record Round(double millis, double busy) {}

    Medians measure(Task ours, Task reference) throws Exception {
        List<Round> ofOurs = new ArrayList<>();
        List<Round> ofReference = new ArrayList<>();
        for (int round = -warmUps; round < rounds; round++) {
            Round a = measure(ours);
            Round b = measure(reference);
            if (round >= 0) {
                ofOurs.add(a);
                ofReference.add(b);
            }
            if (Boolean.getBoolean("benchmark.verbose")) {
                System.err.printf("  round %d: ours %.0f ms, reference %.0f ms%n", round, a.millis(), b.millis());
            }
        }
        return new Medians(
                median(ofOurs, Round::millis),
                median(ofReference, Round::millis),
                median(ofOurs, Round::busy),
                median(ofReference, Round::busy));
    }

    private static Round measure(Task task) throws Exception {
        task.prepare();
        Processors processors = Processors.watch();
        long begin = System.nanoTime();
        task.run();
        double millis = (System.nanoTime() - begin) / (double) TimeUnit.MILLISECONDS.toNanos(1);
        return new Round(millis, millis < LEAST_MILLIS_TO_TELL_BUSY ? Double.NaN : processors.busy());
    }

    private static double median(List<Round> rounds, ToDoubleFunction<Round> of) {
        return median(rounds.stream().mapToDouble(of).boxed().toList());
    }

    static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
