package io.formacdc.duckdb;

import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** A real store, with something done, or failed, before and after each request. Thread-safe. */
final class WatchedStore implements ObjectStore {
    /** @param name of the method, and the key */
    record Request(int number, String name, String key) {}

    /** What happens around a request; may throw. */
    interface Watcher {
        default void before(Request request) {}

        default void after(Request request) {}
    }

    /** Fails one request, before or after it took effect. */
    static Watcher failing(int number, boolean before) {
        return new Watcher() {
            @Override
            public void before(Request request) {
                fail(request, before);
            }

            @Override
            public void after(Request request) {
                fail(request, !before);
            }

            private void fail(Request request, boolean now) {
                if (now && request.number() == number) {
                    throw new ObjectStoreException("injected failure of " + request);
                }
            }
        };
    }

    private final ObjectStore real;
    private volatile Watcher watcher;
    private final List<Request> requests = new ArrayList<>();

    WatchedStore(ObjectStore real, Watcher watcher) {
        this.real = real;
        this.watcher = watcher;
    }

    /** Counts from 1 again, under another watcher. */
    synchronized WatchedStore with(Watcher next) {
        watcher = next;
        requests.clear();
        return this;
    }

    /** Every request so far, those of the store probe left out. */
    synchronized List<Request> requests() {
        return List.copyOf(requests);
    }

    private <T> T request(String name, String key, Callable<T> call) {
        try {
            if (key.contains(".probe-")) {
                return call.call();
            }
            Request request = begin(name, key);
            watcher.before(request);
            T result = call.call();
            watcher.after(request);
            return result;
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private synchronized Request begin(String name, String key) {
        Request request = new Request(requests.size() + 1, name, key);
        requests.add(request);
        return request;
    }

    @Override
    public StoredObject get(String key) {
        return request("get", key, () -> real.get(key));
    }

    @Override
    public void download(String key, Path file) {
        request("download", key, () -> {
            real.download(key, file);
            return key;
        });
    }

    @Override
    public String put(String key, Path file) {
        return request("put", key, () -> real.put(key, file));
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return request("putIfAbsent", key, () -> real.putIfAbsent(key, content));
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return request("putIfMatch", key, () -> real.putIfMatch(key, content, etag));
    }

    @Override
    public void copy(String sourceKey, String targetKey) {
        request("copy", targetKey, () -> {
            real.copy(sourceKey, targetKey);
            return targetKey;
        });
    }

    @Override
    public void delete(String key) {
        request("delete", key, () -> {
            real.delete(key);
            return key;
        });
    }

    @Override
    public ObjectInfo head(String key) {
        return request("head", key, () -> real.head(key));
    }

    @Override
    public Stream<ObjectInfo> list(String prefix) {
        return request("list", prefix, () -> real.list(prefix));
    }
}
