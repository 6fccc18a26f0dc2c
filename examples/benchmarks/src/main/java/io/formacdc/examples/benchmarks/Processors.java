package io.formacdc.examples.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.StringTokenizer;
import java.util.concurrent.TimeUnit;

/**
 * How many of the machine's processors were busy for a while, whoever kept them so: a work that keeps all of them busy
 * is made faster by less work alone. Known from Linux only, to a hundredth of a second.
 */
final class Processors {
    private static final Path STAT = Path.of("/proc/stat");
    private static final int IDLE = 3;
    private static final int WAITING_FOR_DISK = 4;
    /** What guests have used is counted as the user's too. */
    private static final int GUEST = 8;

    private static final double TICKS_PER_SECOND = 100;

    private final long beginNanos = System.nanoTime();
    private final OptionalDouble busyAtBegin = busySeconds();

    private Processors() {}

    /** Watches from now on. */
    static Processors watch() {
        return new Processors();
    }

    /** The number of busy ones since then, on average; NaN where nobody knows. */
    double busy() {
        OptionalDouble busyNow = busySeconds();
        if (busyAtBegin.isEmpty() || busyNow.isEmpty()) {
            return Double.NaN;
        }
        double seconds = (System.nanoTime() - beginNanos) / (double) TimeUnit.SECONDS.toNanos(1);
        return (busyNow.getAsDouble() - busyAtBegin.getAsDouble()) / seconds;
    }

    private static OptionalDouble busySeconds() {
        try {
            return Files.isReadable(STAT) ? busySeconds(Files.readString(STAT)) : OptionalDouble.empty();
        } catch (IOException e) {
            return OptionalDouble.empty();
        }
    }

    /** The sum over all processors, which is the first line: user, nice, system, idle, iowait, irq, softirq, steal. */
    static OptionalDouble busySeconds(String stat) {
        StringTokenizer fields = new StringTokenizer(stat.lines().findFirst().orElse(""));
        if (!fields.hasMoreTokens() || !fields.nextToken().equals("cpu")) {
            return OptionalDouble.empty();
        }
        long ticks = 0;
        for (int field = 0; field < GUEST && fields.hasMoreTokens(); field++) {
            long spent = Long.parseLong(fields.nextToken());
            if (field != IDLE && field != WAITING_FOR_DISK) {
                ticks += spent;
            }
        }
        return OptionalDouble.of(ticks / TICKS_PER_SECOND);
    }
}
