package io.formacdc.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A bucket in memory, with real compare-and-swap. Its conditional puts and its gets are numbered from 0, those of probe
 * objects left out, and can fail on demand.
 */
public class MemoryObjectStore implements ObjectStore {
    /** How a numbered call fails. */
    public enum Fault {
        /** Nothing happens, and no answer comes. */
        BEFORE,
        /** It takes effect, and no answer comes. */
        AFTER,
        /** It takes effect, and the answer is that of a second sending. For a get, as {@link #BEFORE}. */
        SENT_TWICE,
        /** No answer comes, and it is tried after the next get. For a get, as {@link #BEFORE}. */
        LATE,
        /** No answer comes, and it is tried when {@link #settle} is called. For a get, as {@link #BEFORE}. */
        MUCH_LATER
    }

    private final TreeMap<String, Held> objects = new TreeMap<>();
    private final Map<Integer, Fault> faults = new HashMap<>();
    private final Map<Integer, Runnable> competitors = new HashMap<>();
    private final List<Runnable> late = new ArrayList<>();
    private final List<Runnable> muchLater = new ArrayList<>();
    private int calls;
    private long lastEtag;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Held(byte[] content, String etag, Instant lastModified) {}

    /** A store on a bucket that is not there. */
    public static MemoryObjectStore withoutBucket() {
        return new MemoryObjectStore() {
            @Override
            Map<String, Held> bucket(String key) {
                throw new ObjectStoreException("missing bucket, asked for " + key);
            }
        };
    }

    /** What a request for a key works on. */
    Map<String, Held> bucket(String key) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CdcInterruptedException("interrupted at " + key);
        }
        return objects;
    }

    /** A bucket that goes on from what is in this one. What was to happen to requests, or is under way, stays here. */
    public synchronized MemoryObjectStore copy() {
        MemoryObjectStore copy = new MemoryObjectStore();
        copy.objects.putAll(objects);
        copy.lastEtag = lastEtag;
        return copy;
    }

    private interface Effect<T> {
        T happen();
    }

    /** Lets a call fail; counted from the next call on. */
    public synchronized void failCall(int number, Fault fault) {
        faults.put(calls + number, fault);
    }

    /** Lets something happen right before a call is looked at; counted from the next call on. */
    public synchronized void beforeCall(int number, Runnable competitor) {
        competitors.put(calls + number, competitor);
    }

    /** Numbered calls so far. */
    public synchronized int calls() {
        return calls;
    }

    /** Tries every write that is still under way. */
    public synchronized void settle() {
        run(late);
        run(muchLater);
    }

    private static void run(List<Runnable> writes) {
        List<Runnable> due = List.copyOf(writes);
        writes.clear();
        due.forEach(Runnable::run);
    }

    /** Puts an object, whatever is there. */
    public synchronized String put(String key, byte[] content) {
        return store(key, content);
    }

    /** Reads an object past the numbered calls. */
    public synchronized byte[] peek(String key) {
        return held(key).orElseThrow().content().clone();
    }

    public synchronized List<String> keys() {
        return new ArrayList<>(objects.keySet());
    }

    @Override
    public StoredObject get(String key) {
        return call(key, false, () -> {
            Held held = held(key).orElseThrow(() -> new ObjectNotFoundException("no object " + key));
            return new StoredObject(held.content().clone(), held.etag());
        });
    }

    @Override
    public void download(String key, Path file) {
        try {
            Files.write(file, get(key).content());
        } catch (IOException e) {
            throw new ObjectStoreException("no file " + file + " for " + key, e);
        }
    }

    @Override
    public synchronized String put(String key, Path file) {
        try {
            return store(key, Files.readAllBytes(file));
        } catch (IOException e) {
            throw new ObjectStoreException("no file " + file + " for " + key, e);
        }
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return call(key, true, () -> {
            if (bucket(key).containsKey(key)) {
                throw new PreconditionFailedException("there is an object " + key);
            }
            return store(key, content);
        });
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return call(key, true, () -> {
            if (held(key).filter(held -> held.etag().equals(etag)).isEmpty()) {
                throw new PreconditionFailedException("object " + key + " has not the etag " + etag);
            }
            return store(key, content);
        });
    }

    @Override
    public synchronized void copy(String sourceKey, String targetKey) {
        store(
                targetKey,
                held(sourceKey)
                        .orElseThrow(() -> new ObjectNotFoundException("no object " + sourceKey))
                        .content());
    }

    @Override
    public synchronized void delete(String key) {
        bucket(key).remove(key);
    }

    @Override
    public synchronized ObjectInfo head(String key) {
        return held(key)
                .map(held -> info(key, held))
                .orElseThrow(() -> new ObjectNotFoundException("no object " + key));
    }

    @Override
    public synchronized Stream<ObjectInfo> list(String prefix) {
        return bucket(prefix).entrySet().stream()
                .filter(e -> e.getKey().startsWith(prefix))
                .map(e -> info(e.getKey(), e.getValue()))
                .toList()
                .stream();
    }

    private <T> T call(String key, boolean write, Effect<T> effect) {
        if (key.contains(".probe-")) {
            synchronized (this) {
                return effect.happen();
            }
        }
        Runnable competitor;
        Fault fault;
        synchronized (this) {
            competitor = competitors.remove(calls);
            fault = faults.remove(calls);
            calls++;
        }
        if (competitor != null) {
            competitor.run();
        }
        synchronized (this) {
            if (fault == null) {
                T result = effect.happen();
                if (!write) {
                    run(late);
                }
                return result;
            }
            fail(fault, write, effect);
            throw fault == Fault.SENT_TWICE && write
                    ? new PreconditionFailedException("object " + key + " is not what it was")
                    : new ObjectStoreException("no answer about " + key);
        }
    }

    private void fail(Fault fault, boolean write, Effect<?> effect) {
        if (!write || fault == Fault.BEFORE) {
            return;
        }
        Runnable attempt = () -> {
            try {
                effect.happen();
            } catch (PreconditionFailedException e) {
                // the store's answer, which nobody hears
            }
        };
        switch (fault) {
            case LATE -> late.add(attempt);
            case MUCH_LATER -> muchLater.add(attempt);
            default -> attempt.run();
        }
    }

    private Optional<Held> held(String key) {
        return Optional.ofNullable(bucket(key).get(key));
    }

    private synchronized String store(String key, byte[] content) {
        String etag = "\"" + ++lastEtag + "\"";
        bucket(key).put(key, new Held(content.clone(), etag, Instant.now()));
        return etag;
    }

    private static ObjectInfo info(String key, Held held) {
        return new ObjectInfo(key, held.content().length, held.etag(), held.lastModified());
    }
}
