package io.formacdc.duckdb;

import io.formacdc.core.ObjectStore;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A store that does something before each object is put or downloaded, and after each listing was begun. */
final class HookedStore implements ObjectStore {
    private final ObjectStore store;
    Runnable beforePut = () -> {};
    Runnable beforeList = () -> {};
    Consumer<String> beforeDownload = key -> {};

    HookedStore(ObjectStore store) {
        this.store = store;
    }

    @Override
    public StoredObject get(String key) {
        return store.get(key);
    }

    @Override
    public void download(String key, Path file) {
        beforeDownload.accept(key);
        store.download(key, file);
    }

    @Override
    public String put(String key, Path file) {
        beforePut.run();
        return store.put(key, file);
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return store.putIfAbsent(key, content);
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return store.putIfMatch(key, content, etag);
    }

    @Override
    public void copy(String sourceKey, String targetKey) {
        store.copy(sourceKey, targetKey);
    }

    @Override
    public void delete(String key) {
        store.delete(key);
    }

    @Override
    public ObjectInfo head(String key) {
        return store.head(key);
    }

    @Override
    public Stream<ObjectInfo> list(String prefix) {
        beforeList.run();
        return store.list(prefix);
    }
}
