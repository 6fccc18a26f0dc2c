package io.formacdc.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.StoredObject;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import io.formacdc.core.UuidV7;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether an object store honours conditional writes, one after another and at the same time, on objects of
 * its own beside the manifest.
 *
 * <p>A refusal is never held against a store, because a transport may send a write twice and report the second answer.
 * What convicts it is a write that should have been refused and was not.
 */
final class StoreProbe {
    private static final int CONTENDERS = 8;
    private static final int ROUNDS = 3;
    private static final Map<ObjectStore, Verdict> VERDICTS = Collections.synchronizedMap(new WeakHashMap<>());

    private final ObjectStore store;
    private final String prefix;
    private final List<String> keys = new ArrayList<>();

    private StoreProbe(ObjectStore store, String manifestKey) {
        this.store = store;
        this.prefix = manifestKey + ".probe-" + UuidV7.next();
    }

    /** Keeps the store, which a host may make anew for every pass, from being forgotten while there is memory. */
    private static final class Verdict {
        @SuppressWarnings("unused")
        private final SoftReference<ObjectStore> store;

        private boolean safe;

        private Verdict(ObjectStore store) {
            this.store = new SoftReference<>(store);
        }
    }

    /**
     * Returns when the store is proven, at once if it was before.
     *
     * @throws ConditionalWritesUnsupportedException if it let a conditional write through
     * @throws ObjectStoreException if the probe's own requests failed
     */
    static void ensureSafe(ObjectStore store, String manifestKey) {
        Verdict verdict = VERDICTS.computeIfAbsent(store, Verdict::new);
        synchronized (verdict) {
            if (!verdict.safe) {
                new StoreProbe(store, manifestKey).run();
                verdict.safe = true;
            }
        }
    }

    private void run() {
        try {
            oneAfterAnother(newKey());
            for (int round = 0; round < ROUNDS; round++) {
                allAtOnce(newKey());
            }
        } catch (ObjectStoreException e) {
            throw new ObjectStoreException(
                    "could not find out whether the object store honours conditional writes, by objects named \""
                            + prefix + "...\"; nothing was saved: " + e.getMessage(),
                    e);
        } finally {
            keys.forEach(this::delete);
        }
    }

    private void oneAfterAnother(String key) {
        String first = create(key, body("first"));
        if (succeeds(() -> store.putIfAbsent(key, body("second")))) {
            throw unsupported("an object was created where one was");
        }
        replace(key, body("third"), first);
        if (succeeds(() -> store.putIfMatch(key, body("fourth"), first))) {
            throw unsupported("an object was replaced on an etag that it no longer had");
        }
        if (!holds(key, body("third"))) {
            throw unsupported("a write that was refused took effect");
        }
    }

    private String create(String key, byte[] content) {
        try {
            return store.putIfAbsent(key, content);
        } catch (PreconditionFailedException e) {
            return store.get(key).etag();
        }
    }

    private void replace(String key, byte[] content, String etag) {
        if (!succeeds(() -> store.putIfMatch(key, content, etag)) && !holds(key, content)) {
            throw unsupported("an object could not be replaced on the etag that it had");
        }
    }

    private void allAtOnce(String key) {
        List<Integer> creators = race(i -> store.putIfAbsent(key, body("create " + i)));
        if (creators.size() > 1) {
            throw unsupported(creators.size() + " of " + CONTENDERS + " creations of one object at once succeeded");
        }
        StoredObject created;
        try {
            created = store.get(key);
        } catch (ObjectNotFoundException e) {
            if (creators.isEmpty()) {
                return;
            }
            throw unsupported("an object was created, and was not there");
        }
        checkKept(creators, "create ", created);
        List<Integer> replacers = race(i -> store.putIfMatch(key, body("replace " + i), created.etag()));
        if (replacers.size() > 1) {
            throw unsupported(replacers.size() + " of " + CONTENDERS
                    + " replacements of one object at once succeeded on one etag");
        }
        checkKept(replacers, "replace ", store.get(key));
    }

    private void checkKept(List<Integer> winners, String what, StoredObject stored) {
        if (!winners.isEmpty() && !java.util.Arrays.equals(stored.content(), body(what + winners.get(0)))) {
            throw unsupported("of several writes at once the one that succeeded was lost");
        }
    }

    /** Lets all contenders go at once and waits for them all; returns those whose write succeeded. */
    private List<Integer> race(Contender contender) {
        CyclicBarrier start = new CyclicBarrier(CONTENDERS);
        List<Callable<Boolean>> contenders = new ArrayList<>();
        for (int i = 0; i < CONTENDERS; i++) {
            int number = i;
            contenders.add(() -> {
                start.await();
                return succeeds(() -> contender.write(number));
            });
        }
        ExecutorService threads = Executors.newFixedThreadPool(CONTENDERS, StoreProbe::newThread);
        try {
            List<Integer> winners = new ArrayList<>();
            List<Future<Boolean>> outcomes = threads.invokeAll(contenders);
            for (int i = 0; i < CONTENDERS; i++) {
                if (outcomes.get(i).get()) {
                    winners.add(i);
                }
            }
            return winners;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted while the object store was probed; nothing was saved", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            join(threads);
        }
    }

    private static Thread newThread(Runnable task) {
        Thread thread = new Thread(task, "cdc-store-probe");
        thread.setDaemon(true);
        return thread;
    }

    private static void join(ExecutorService threads) {
        threads.shutdownNow();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                ended = threads.awaitTermination(1, TimeUnit.HOURS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean holds(String key, byte[] content) {
        return java.util.Arrays.equals(store.get(key).content(), content);
    }

    private static boolean succeeds(Runnable write) {
        try {
            write.run();
            return true;
        } catch (PreconditionFailedException e) {
            return false;
        }
    }

    private String newKey() {
        String key = prefix + "-" + keys.size();
        keys.add(key);
        return key;
    }

    private void delete(String key) {
        try {
            store.delete(key);
        } catch (ObjectStoreException e) {
            LoggerFactory.getLogger(StoreProbe.class).warn("could not delete probe object {}", key, e);
        }
    }

    private static byte[] body(String text) {
        return text.getBytes(UTF_8);
    }

    private static ConditionalWritesUnsupportedException unsupported(String seen) {
        return new ConditionalWritesUnsupportedException("the object store does not honour conditional writes: " + seen
                + ". Nothing was saved. Use a store with conditional writes (If-Match, If-None-Match), or set"
                + " singleWriterStore(true) when only one process writes");
    }

    private interface Contender {
        void write(int number);
    }
}
