package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.formacdc.core.CdcException;
import io.formacdc.manifest.CrashWorld.Work;
import io.formacdc.manifest.Faults.Fault;
import io.formacdc.manifest.Faults.Kind;
import io.formacdc.manifest.Turns.Order;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Every call that a life of a lake makes goes wrong, in every way, alone and together with every later one; after every
 * work, readers must see what the tables hold, and after a last round without faults the files alone must.
 *
 * <p>{@code -Dcrash.pairs=all} takes every way of failing for both calls of a pair; without it, every pair of calls is
 * tried with every way of the first and one of the second, in one of the orders in which threads of a work come to their
 * calls.
 */
final class CrashSweepTest {
    private static final Logger LOG = (Logger) LoggerFactory.getLogger("io.formacdc");
    private static final List<Kind> KINDS = List.of(Kind.values());
    private static final boolean ALL_PAIRS = "all".equals(System.getProperty("crash.pairs"));
    private static final int RETRIES = 2;
    private static Level level = Level.INFO;

    @TempDir
    private static Path temp;

    /** Thousands of failures are wanted here. */
    @BeforeAll
    static void silence() {
        level = LOG.getLevel();
        LOG.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        LOG.setLevel(level);
    }

    /** Something that happens to a lake: a work, or what writers do. */
    private interface Event extends Consumer<CrashWorld> {}

    private static Event write(int number, boolean isLive) {
        return world -> world.tables.write(number, isLive);
    }

    /** Rows are created, changed, deleted and created anew, among flushes of two chunks and everything else. */
    private static final List<Object> LIFE = List.of(
            write(1, true),
            write(2, true),
            write(3, true),
            Work.FLUSH,
            write(1, true),
            write(2, false),
            write(4, true),
            Work.FLUSH,
            Work.COMPACT,
            write(3, false),
            write(2, true),
            Work.FLUSH,
            Work.EXPORT,
            write(4, false),
            Work.FLUSH,
            Work.COMPACT,
            Work.SWEEP,
            Work.SWEEP);

    /** Lives a life in which some calls go wrong, checks it after every work, and heals it. */
    private static Faults live(Order order, List<Fault> faults, int maxRetries, boolean lookEverywhere) {
        CrashWorld world = new CrashWorld(newFolder(), maxRetries, order);
        Faults all = new Faults(faults);
        if (lookEverywhere) {
            all.everywhere(world::assertReadersSeeTheTables);
        }
        try {
            for (Object event : LIFE) {
                if (event instanceof Event written) {
                    written.accept(world);
                } else {
                    work(world, (Work) event, all);
                }
            }
            all.heal();
            heal(world);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(order + ", after " + faults + " of " + all.calls() + "\n" + world.tables, e);
        }
        return all;
    }

    private static void work(CrashWorld world, Work work, Faults faults) {
        if (work == Work.SWEEP) {
            world.passTime();
        }
        int before = faults.injected();
        try {
            world.run(work, faults);
        } catch (CdcException e) {
            assertThat(faults.injected()).as("only what was injected: %s", e).isGreaterThan(before);
            assertThat(String.valueOf(e.getMessage())).contains("injected");
        }
        world.assertReadersSeeTheTables();
        if (!faults.isDead()) {
            world.assertNoLocalFile();
        }
    }

    private static void heal(CrashWorld world) {
        world.run(Work.FLUSH);
        world.assertFlushed();
        world.run(Work.COMPACT);
        world.assertFlushed();
        for (int sweep = 0; sweep < 3; sweep++) {
            world.passTime();
            world.run(Work.SWEEP);
        }
        world.assertFlushed();
        world.assertNothingElseInTheBucket();
    }

    private static Path newFolder() {
        try {
            return Files.createTempDirectory(temp, "life");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> callsOfALife(Order order) {
        return live(order, List.of(), RETRIES, true).calls();
    }

    /** Those in which the calls of a life differ. */
    private static List<Order> orders() {
        Map<List<String>, Order> orders = new LinkedHashMap<>();
        for (Order order : Order.values()) {
            orders.putIfAbsent(callsOfALife(order), order);
        }
        return List.copyOf(orders.values());
    }

    @Test
    void callsComeInTheSameOrderInEveryLife() {
        for (Order order : Order.values()) {
            List<String> calls = callsOfALife(order);
            for (int life = 0; life < 50; life++) {
                assertThat(callsOfALife(order)).as("%s", order).isEqualTo(calls);
            }
        }
    }

    @Test
    void everyCallGoesWrongAlone() {
        AtomicInteger cases = new AtomicInteger();
        for (Order order : orders()) {
            List<String> calls = callsOfALife(order);
            assertThat(calls).hasSizeGreaterThan(100);
            IntStream.range(0, calls.size()).parallel().forEach(call -> {
                for (Kind kind : KINDS) {
                    live(order, List.of(new Fault(call, kind)), RETRIES, true);
                    live(order, List.of(new Fault(call, kind)), 0, true);
                    cases.addAndGet(2);
                }
            });
            System.out.printf("CrashSweepTest: %d calls in a life, %s%n", calls.size(), order);
        }
        System.out.printf("CrashSweepTest: %s single faults%n", cases);
    }

    @Test
    void everyPairOfCallsGoesWrong() {
        AtomicInteger cases = new AtomicInteger();
        AtomicInteger both = new AtomicInteger();
        long begin = System.nanoTime();
        List<Order> orders = orders();
        for (Order order : orders) {
            IntStream.range(0, callsOfALife(order).size())
                    .parallel()
                    .forEach(first -> KINDS.forEach(kind -> {
                        Fault one = new Fault(first, kind);
                        // The first fault changes what comes after it.
                        int calls = live(order, List.of(one), 0, false).calls().size();
                        for (int second = first + 1; second < calls; second++) {
                            if (!ALL_PAIRS
                                    && orders.indexOf(order) != (first + second / KINDS.size()) % orders.size()) {
                                continue;
                            }
                            for (Kind other : ALL_PAIRS ? KINDS : List.of(KINDS.get((first + second) % KINDS.size()))) {
                                Faults faults = live(order, List.of(one, new Fault(second, other)), 0, false);
                                both.addAndGet(faults.injected() == 2 ? 1 : 0);
                                cases.incrementAndGet();
                            }
                        }
                    }));
        }
        System.out.printf(
                "CrashSweepTest: %s pairs of faults, %s of them both met, in %d s%n",
                cases, both, (System.nanoTime() - begin) / 1_000_000_000);
        assertThat(both).hasValueGreaterThan(10_000);
    }

    /** Other processes come between, as when the lock's session was lost or a pooler breaks the lock. */
    @Test
    void othersWorkBeforeEveryCall() {
        List<List<Work>> others = new ArrayList<>();
        for (Work work : Work.values()) {
            others.add(List.of(work));
        }
        others.add(List.of(Work.FLUSH, Work.COMPACT));
        others.add(List.of(Work.SWEEP, Work.SWEEP));
        others.add(List.of(Work.FLUSH, Work.COMPACT, Work.SWEEP, Work.SWEEP));
        AtomicInteger cases = new AtomicInteger();
        List<Order> orders = orders();
        for (Order order : orders) {
            IntStream.range(0, callsOfALife(order).size()).parallel().forEach(call -> {
                for (int other = 0; other < others.size(); other++) {
                    if (!ALL_PAIRS && orders.indexOf(order) != (call + other) % orders.size()) {
                        continue;
                    }
                    for (boolean lockIsLost : new boolean[] {true, false}) {
                        for (boolean writeFirst : new boolean[] {true, false}) {
                            assertFenced(order, call, others.get(other), lockIsLost, writeFirst);
                            cases.incrementAndGet();
                        }
                    }
                }
            });
        }
        System.out.println("CrashSweepTest: " + cases + " times others worked before a call");
        assertThat(cases).hasValueGreaterThan(3_000);
    }

    private static void assertFenced(
            Order order, int call, List<Work> between, boolean lockIsLost, boolean writeFirst) {
        CrashWorld world = new CrashWorld(newFolder(), RETRIES, order);
        world.tables.lockExcludes = lockIsLost;
        Faults faults = new Faults(List.of());
        faults.before(call, () -> {
            world.tables.loseLock();
            if (writeFirst) {
                world.tables.write(1, false);
                world.tables.write(2, true);
            }
            for (Work work : between) {
                if (work == Work.SWEEP) {
                    world.passTime();
                }
                world.run(work);
            }
            faults.everywhere(world::assertReadersSeeTheTables);
        });
        try {
            for (Object event : LIFE) {
                if (event instanceof Event written) {
                    written.accept(world);
                } else if (event instanceof Work work) {
                    if (work == Work.SWEEP) {
                        world.passTime();
                    }
                    try {
                        world.run(work, faults);
                    } catch (CdcException e) {
                        // Overtaken, in one way or another; what counts is what readers see.
                        assertThat(e.getMessage()).isNotBlank();
                    }
                    world.assertReadersSeeTheTables();
                }
            }
            heal(world);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    order + ", " + between + " before call " + call + " of " + faults.calls() + ", lock "
                            + (lockIsLost ? "lost" : "broken") + "\n" + world.tables,
                    e);
        }
    }
}
