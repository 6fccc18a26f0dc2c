package io.formacdc.manifest;

import io.formacdc.core.ObjectStoreException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where a life of a lake breaks. Every call of a port comes by here, and has a number; it can fail, or the process that
 * makes it can die. Thread-safe.
 */
final class Faults {
    /** How a call goes wrong. */
    enum Kind {
        /** Nothing happens, and the caller is told. */
        FAILS_BEFORE,
        /** It happens, and the caller is told that it failed. */
        FAILS_AFTER,
        /** It happens, and it is the last thing that its process does. */
        DIES_AFTER
    }

    /** @param call number of the call, from 0 */
    record Fault(int call, Kind kind) {}

    private final Map<Integer, Kind> kinds = new HashMap<>();
    private final Map<Integer, Runnable> interludes = new HashMap<>();
    private final List<String> calls = new ArrayList<>();
    private boolean isDead;
    private int injected;
    private Runnable everywhere = () -> {};
    private @Nullable AssertionError found;
    private @Nullable Turns turns;

    /** The same from here on; what happens before calls is not. */
    synchronized Faults copy() {
        Faults copy = new Faults();
        copy.kinds.putAll(kinds);
        copy.calls.addAll(calls);
        copy.isDead = isDead;
        copy.injected = injected;
        return copy;
    }

    /** Has one more call go wrong. */
    synchronized void add(Fault fault) {
        kinds.put(fault.call(), fault.kind());
    }

    /** Has something happen right before a call, by other hands. */
    void before(int call, Runnable interlude) {
        interludes.put(call, interlude);
    }

    /** Has something happen before every call, such as a look at what a reader would see. */
    void everywhere(Runnable work) {
        everywhere = work;
    }

    /** Has the threads of a work make its calls in turns. */
    synchronized void inTurns(Turns ofTheWork) {
        turns = ofTheWork;
    }

    private synchronized @Nullable Turns turns() {
        return turns;
    }

    /** A new process takes over, which has not died. */
    synchronized void newProcess() {
        isDead = false;
    }

    /** Throws what a look before a call has found, in whatever thread it was; the work may have swallowed it. */
    synchronized void rethrow() {
        if (found != null) {
            throw found;
        }
    }

    private void look() {
        try {
            everywhere.run();
        } catch (AssertionError e) {
            synchronized (this) {
                found = found == null ? e : found;
            }
            throw e;
        }
    }

    /** From now on nothing goes wrong. */
    synchronized void heal() {
        kinds.clear();
        interludes.clear();
        isDead = false;
    }

    /** Names of the calls so far. */
    synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    synchronized int injected() {
        return injected;
    }

    synchronized boolean isDead() {
        return isDead;
    }

    /** Makes a call, or lets it go wrong. */
    <T> T call(String name, Supplier<T> effect) {
        @Nullable Turns ofTheWork = turns();
        return ofTheWork == null ? make(name, effect) : ofTheWork.take(() -> make(name, effect));
    }

    private <T> T make(String name, Supplier<T> effect) {
        Kind kind;
        Runnable interlude;
        synchronized (this) {
            if (isDead) {
                throw new ObjectStoreException("injected: dead at " + name);
            }
            kind = kinds.get(calls.size());
            interlude = interludes.getOrDefault(calls.size(), () -> {});
            calls.add(name + " by " + Thread.currentThread().getName());
            injected += kind == null ? 0 : 1;
        }
        interlude.run();
        look();
        if (kind == Kind.FAILS_BEFORE) {
            throw new ObjectStoreException("injected: no " + name);
        }
        T result = effect.get();
        if (kind == null) {
            return result;
        }
        synchronized (this) {
            isDead |= kind == Kind.DIES_AFTER;
        }
        if (result instanceof AutoCloseable lost) {
            close(lost);
        }
        throw new ObjectStoreException("injected: no answer from " + name);
    }

    private static void close(AutoCloseable lost) {
        try {
            lost.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
