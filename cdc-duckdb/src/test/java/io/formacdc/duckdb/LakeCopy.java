package io.formacdc.duckdb;

import io.formacdc.core.ObjectStore.ObjectInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Every object of a host at one moment, to begin from there again and again. */
final class LakeCopy {
    private final TestHost host;
    private final Map<String, byte[]> objects = new LinkedHashMap<>();

    private LakeCopy(TestHost host) {
        this.host = host;
    }

    static LakeCopy of(TestHost host) {
        LakeCopy copy = new LakeCopy(host);
        host.objects()
                .forEach(object -> copy.objects.put(
                        object.key(), host.store().get(object.key()).content()));
        return copy;
    }

    /** Puts everything back, and deletes what was not there. */
    void restore() throws IOException {
        for (ObjectInfo object : host.objects()) {
            if (!objects.containsKey(object.key())) {
                host.store().delete(object.key());
            }
        }
        Path file = Files.createTempFile("lake-copy", "");
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            Files.write(file, object.getValue());
            host.store().put(object.getKey(), file);
        }
        Files.delete(file);
    }
}
