package io.formacdc.manifest;

import io.formacdc.core.ObjectStore;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A bucket whose every request goes by way of the faults. */
record FaultyStore(ObjectStore objects, Faults faults) implements ObjectStore {
    @Override
    public StoredObject get(String key) {
        return faults.call("get", () -> objects.get(key));
    }

    @Override
    public void download(String key, Path file) {
        faults.call("download", () -> {
            objects.download(key, file);
            return key;
        });
    }

    @Override
    public String put(String key, Path file) {
        return faults.call("put", () -> objects.put(key, file));
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return faults.call("putIfAbsent", () -> objects.putIfAbsent(key, content));
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return faults.call("putIfMatch", () -> objects.putIfMatch(key, content, etag));
    }

    @Override
    public void copy(String sourceKey, String targetKey) {
        faults.call("copy", () -> {
            objects.copy(sourceKey, targetKey);
            return targetKey;
        });
    }

    @Override
    public void delete(String key) {
        faults.call("delete", () -> {
            objects.delete(key);
            return key;
        });
    }

    @Override
    public ObjectInfo head(String key) {
        return faults.call("head", () -> objects.head(key));
    }

    @Override
    public Stream<ObjectInfo> list(String prefix) {
        List<ObjectInfo> found = faults.call("list", () -> objects.list(prefix).toList());
        return found.stream();
    }
}
