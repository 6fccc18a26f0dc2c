package io.formacdc.manifest;

import java.util.Map;

/**
 * A file that is no longer listed, and whose object is kept for readers that resolved their list earlier.
 *
 * @param path as it stood in its entry
 * @param retiredAtMillis when it was taken off the list, epoch milliseconds
 * @param unknownKeys JSON text by key, of keys that this version does not know; written back as they are
 */
public record RetiredFile(String path, long retiredAtMillis, Map<String, String> unknownKeys) {
    public RetiredFile {
        unknownKeys = FrozenMap.copyOf(unknownKeys);
    }

    /** A file retired at an instant, epoch milliseconds. */
    public static RetiredFile of(String path, long retiredAtMillis) {
        return new RetiredFile(path, retiredAtMillis, Map.of());
    }

    /** The key of the file: the path without {@code s3://bucket/}. */
    public String key() {
        return ManifestPaths.keyOf(path);
    }
}
