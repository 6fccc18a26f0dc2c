package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.formacdc.manifest.CrashWorld.Work;
import io.formacdc.manifest.Faults.Fault;
import io.formacdc.manifest.Faults.Kind;
import io.formacdc.manifest.Life.Past;
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
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
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

    @TempDir(factory = Folders.class)
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

    /** In memory where the system has such a folder: a life would wait for its disk most of the time. */
    private static final class Folders implements TempDirFactory {
        private static final Path IN_MEMORY = Path.of("/dev/shm");

        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
            return Files.isWritable(IN_MEMORY)
                    ? Files.createTempDirectory(IN_MEMORY, "lives")
                    : Files.createTempDirectory("lives");
        }
    }

    private static Life life(Order order, int maxRetries, boolean looksEverywhere) {
        return new Life(temp, maxRetries, order, looksEverywhere);
    }

    private static List<String> callsOfALife(Order order) {
        return life(order, RETRIES, true).live().calls();
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
    void lifeGoesOnFromACopyAsFromItsBeginning() {
        for (Order order : Order.values()) {
            Past faultless = life(order, 0, false).remember();
            for (int first = 0; first < faultless.calls(); first += 7) {
                Fault one = new Fault(first, KINDS.get(first % KINDS.size()));
                Past past = faultless.before(first).with(one).remember();
                for (int second = first + 1; second < past.calls(); second += 13) {
                    Fault other = new Fault(second, KINDS.get(second % KINDS.size()));
                    Life fromItsBeginning =
                            life(order, 0, false).with(one).with(other).live();
                    Life fromACopy = past.before(second).with(other).live();
                    assertThat(fromACopy.calls()).isEqualTo(fromItsBeginning.calls());
                    assertThat(fromACopy.injected()).isEqualTo(fromItsBeginning.injected());
                }
            }
        }
    }

    @Test
    void everyCallGoesWrongAlone() {
        AtomicInteger cases = new AtomicInteger();
        for (Order order : orders()) {
            List<Past> pasts = List.of(
                    life(order, RETRIES, true).remember(), life(order, 0, true).remember());
            int calls = pasts.get(0).calls();
            assertThat(calls).isGreaterThan(100);
            IntStream.range(0, calls).parallel().forEach(call -> {
                for (Kind kind : KINDS) {
                    for (Past past : pasts) {
                        past.before(call).with(new Fault(call, kind)).live();
                        cases.incrementAndGet();
                    }
                }
            });
            System.out.printf("CrashSweepTest: %d calls in a life, %s%n", calls, order);
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
            Past faultless = life(order, 0, false).remember();
            IntStream.range(0, faultless.calls())
                    .parallel()
                    .forEach(first -> KINDS.forEach(kind -> {
                        // The first fault changes what comes after it.
                        Past past = faultless
                                .before(first)
                                .with(new Fault(first, kind))
                                .remember();
                        for (int second = first + 1; second < past.calls(); second++) {
                            if (!ALL_PAIRS
                                    && orders.indexOf(order) != (first + second / KINDS.size()) % orders.size()) {
                                continue;
                            }
                            for (Kind other : ALL_PAIRS ? KINDS : List.of(KINDS.get((first + second) % KINDS.size()))) {
                                Life life = past.before(second)
                                        .with(new Fault(second, other))
                                        .live();
                                both.addAndGet(life.injected() == 2 ? 1 : 0);
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
            Past past = life(order, RETRIES, false).remember();
            IntStream.range(0, past.calls()).parallel().forEach(call -> {
                for (int other = 0; other < others.size(); other++) {
                    if (!ALL_PAIRS && orders.indexOf(order) != (call + other) % orders.size()) {
                        continue;
                    }
                    for (boolean lockIsLost : new boolean[] {true, false}) {
                        for (boolean writeFirst : new boolean[] {true, false}) {
                            past.before(call)
                                    .overtaken(call, lockIsLost, new Others(others.get(other), writeFirst))
                                    .live();
                            cases.incrementAndGet();
                        }
                    }
                }
            });
        }
        System.out.println("CrashSweepTest: " + cases + " times others worked before a call");
        assertThat(cases).hasValueGreaterThan(3_000);
    }

    /** What other processes do, perhaps after writers. */
    private record Others(List<Work> works, boolean writeFirst) implements Consumer<CrashWorld> {
        @Override
        public void accept(CrashWorld world) {
            if (writeFirst) {
                world.tables.write(1, false);
                world.tables.write(2, true);
            }
            for (Work work : works) {
                if (work == Work.SWEEP) {
                    world.passTime();
                }
                world.run(work);
            }
        }
    }
}
