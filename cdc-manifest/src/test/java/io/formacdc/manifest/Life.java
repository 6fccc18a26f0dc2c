package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcException;
import io.formacdc.manifest.CrashWorld.Work;
import io.formacdc.manifest.Faults.Fault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A life of a lake, in which some calls go wrong. Every work is that of a new process, so between two events there is
 * nothing but the world and the faults: a life goes on from a copy as it does from its beginning. Confined to a thread.
 */
final class Life {
    /** Something that happens to a lake: a work, or what writers do. */
    private interface Event extends Consumer<CrashWorld> {}

    private static Event write(int number, boolean isLive) {
        return world -> world.tables.write(number, isLive);
    }

    /** Rows are created, changed, deleted and created anew, among flushes of two chunks and everything else. */
    private static final List<Object> EVENTS = List.of(
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

    /**
     * What a life was like before each of its works. Thread-safe.
     *
     * @param calls how many calls there were up to its end
     */
    record Past(int calls, List<Life> moments) {
        /** A life that goes on from before the work that made a call. */
        Life before(int call) {
            Life last = moments.get(0);
            for (Life moment : moments) {
                last = moment.faults.calls().size() <= call ? moment : last;
            }
            return last.copy();
        }
    }

    private final CrashWorld world;
    private final Faults faults;
    private final boolean looksEverywhere;
    private final List<Object> wrong;
    private boolean isOvertaken;
    private int happened;

    /**
     * @param temp where each work gets a folder for its local files
     * @param maxRetries of saves and reloads; with none, two failures leave the outcome of a save unknown
     * @param order of calls that threads of one work make at once
     * @param looksEverywhere whether readers look before every call, and not only after every work
     */
    Life(Path temp, int maxRetries, Turns.Order order, boolean looksEverywhere) {
        this(new CrashWorld(temp, maxRetries, order), new Faults(), looksEverywhere, List.of());
    }

    private Life(CrashWorld world, Faults faults, boolean looksEverywhere, List<Object> wrong) {
        this.world = world;
        this.faults = faults;
        this.looksEverywhere = looksEverywhere;
        this.wrong = new ArrayList<>(wrong);
        if (looksEverywhere) {
            faults.everywhere(world::assertReadersSeeTheTables);
        }
    }

    /** Shares nothing that changes. Before a life is overtaken only. */
    private Life copy() {
        assertThat(isOvertaken).isFalse();
        Life copy = new Life(world.copy(), faults.copy(), looksEverywhere, wrong);
        copy.happened = happened;
        return copy;
    }

    /** Has one more call go wrong, which is still to come. */
    Life with(Fault fault) {
        faults.add(fault);
        wrong.add(fault);
        return this;
    }

    /**
     * Has other processes come before a call, which is still to come; what it does from then on may fail. Readers look
     * before every call that follows.
     *
     * @param lockIsLost whether the session of the lock is lost then; if not, the lock keeps nobody out
     */
    Life overtaken(int call, boolean lockIsLost, Consumer<CrashWorld> others) {
        isOvertaken = true;
        wrong.add(others + " before call " + call + ", lock " + (lockIsLost ? "lost" : "broken"));
        world.tables.lockExcludes = lockIsLost;
        faults.before(call, () -> {
            world.tables.loseLock();
            others.accept(world);
            faults.everywhere(world::assertReadersSeeTheTables);
        });
        return this;
    }

    /** Goes on to the end, is checked after every work, and is healed. */
    Life live() {
        live(() -> {});
        return this;
    }

    /** As {@link #live()}, to come back to later. */
    Past remember() {
        List<Life> moments = new ArrayList<>();
        live(() -> moments.add(copy()));
        return new Past(calls().size(), moments);
    }

    private void live(Runnable beforeWork) {
        try {
            for (; happened < EVENTS.size(); happened++) {
                if (EVENTS.get(happened) instanceof Event event) {
                    event.accept(world);
                } else if (EVENTS.get(happened) instanceof Work work) {
                    beforeWork.run();
                    work(work);
                }
            }
            faults.heal();
            heal();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(world.order + ", after " + wrong + " of " + calls() + "\n" + world.tables, e);
        }
    }

    private void work(Work work) {
        if (work == Work.SWEEP) {
            world.passTime();
        }
        int before = faults.injected();
        try {
            world.run(work, faults);
        } catch (CdcException e) {
            assertThat(e.getMessage()).isNotBlank();
            // Overtaken, it fails in one way or another; what counts is what readers see.
            if (!isOvertaken) {
                assertThat(faults.injected())
                        .as("only what was injected: %s", e)
                        .isGreaterThan(before);
                assertThat(e.getMessage()).contains("injected");
            }
        }
        world.assertReadersSeeTheTables();
    }

    private void heal() {
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

    /** Names of the calls so far. */
    List<String> calls() {
        return faults.calls();
    }

    /** How many calls went wrong. */
    int injected() {
        return faults.injected();
    }
}
