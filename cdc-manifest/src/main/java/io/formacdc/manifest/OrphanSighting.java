package io.formacdc.manifest;

import java.util.Map;

/**
 * An object that is not listed, as a sweep found it for the first time. It can never be listed from then on: a writer
 * that comes late with it is refused, because the manifest it would save names the key as an orphan. So a sweep that
 * finds it again may delete the object, whatever other processes have in mind.
 *
 * @param path key of the object
 * @param seenAtMillis when it was found, epoch milliseconds
 * @param unknownKeys JSON text by key, of keys that this version does not know; written back as they are
 */
public record OrphanSighting(String path, long seenAtMillis, Map<String, String> unknownKeys) {
    public OrphanSighting {
        unknownKeys = FrozenMap.copyOf(unknownKeys);
    }

    /** An orphan found at an instant, epoch milliseconds. */
    public static OrphanSighting of(String path, long seenAtMillis) {
        return new OrphanSighting(path, seenAtMillis, Map.of());
    }

    /** The key of the object: the path without {@code s3://bucket/}. */
    public String key() {
        return ManifestPaths.keyOf(path);
    }
}
