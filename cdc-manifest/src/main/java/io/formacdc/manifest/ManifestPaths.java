package io.formacdc.manifest;

import java.util.Optional;

/** What may stand as a path in a manifest: a key of the manifest's own bucket, verbatim, or {@code s3://bucket/key}. */
final class ManifestPaths {
    private static final String SCHEME = "s3://";

    private ManifestPaths() {}

    static String keyOf(String path) {
        return path.startsWith(SCHEME) ? path.substring(path.indexOf('/', SCHEME.length()) + 1) : path;
    }

    /** Why the path cannot be addressed in the bucket, if so. */
    static Optional<String> problemOf(String path, String bucket) {
        if (path.contains("://") && !path.startsWith(SCHEME + bucket + "/")) {
            return Optional.of("is not in the bucket \"" + bucket + "\"");
        }
        String key = keyOf(path);
        if (key.isEmpty()) {
            return Optional.of("is empty");
        }
        if (key.contains("..")) {
            return Optional.of("holds \"..\"");
        }
        for (int i = 0; i < key.length(); i++) {
            char c = key.charAt(i);
            if (c == '*' || c == '?' || c == '[') {
                // What DuckDB would expand: one entry must never stand for several files.
                return Optional.of("is a glob");
            }
            if (Character.isISOControl(c)) {
                return Optional.of("holds a control character");
            }
        }
        return Optional.empty();
    }
}
