package io.formacdc.core;

import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What may stand as a path in a {@link CompactionConfig}, as far as the text alone tells. */
final class CompactionPaths {
    private static final String S3 = "s3://";

    private CompactionPaths() {}

    /** Why a text cannot name one manifest, if so, and what would be right. */
    static Optional<String> problemOfManifestPath(String path) {
        if (path.contains("{{")) {
            return Optional.of("is a template, and must name one manifest; templates go to manifestTemplate");
        }
        if (path.startsWith("file:")) {
            return isFileUri(path)
                    ? Optional.empty()
                    : Optional.of("must be written as in file:///lake/manifest/7.json");
        }
        if (path.startsWith("/")) {
            return problemOfText(path).or(() -> problemOfEnd(path));
        }
        if (path.toLowerCase(Locale.ROOT).startsWith("s3:") || path.contains("://")) {
            int slash = path.indexOf('/', S3.length());
            if (!path.startsWith(S3) || slash <= S3.length() || slash == path.length() - 1) {
                return Optional.of("must be written as in s3://bucket/manifest/7.json");
            }
            return problemOfKey(path.substring(slash + 1)).or(() -> problemOfEnd(path));
        }
        return problemOfKey(path).or(() -> problemOfEnd(path));
    }

    /** Why keys cannot begin with a text, if so, and what would be right. */
    static Optional<String> problemOfTempPrefix(String prefix) {
        if (prefix.contains("://") || prefix.startsWith("/")) {
            return Optional.of(
                    "must be the beginning of a key, without bucket or leading slash, as in staging/compaction");
        }
        return prefix.contains("{{") ? Optional.of("is taken as it is, and must be no template") : problemOfKey(prefix);
    }

    private static Optional<String> problemOfEnd(String path) {
        return path.endsWith("/") ? Optional.of("must name one object, not a folder") : Optional.empty();
    }

    private static Optional<String> problemOfKey(String key) {
        if (Arrays.stream(key.split("/", -1))
                .anyMatch(part -> part.equals(".") || part.equals("..") || part.equals("~"))) {
            return Optional.of("must be a whole key, without \".\", \"..\" or \"~\"");
        }
        if (key.chars().anyMatch(c -> c == '*' || c == '?' || c == '[')) {
            return Optional.of("must be no pattern: *, ? and [ stand for themselves nowhere in this library");
        }
        return key.contains("\\") ? Optional.of("must have slashes, not backslashes") : problemOfText(key);
    }

    private static Optional<String> problemOfText(String text) {
        if (!text.equals(text.strip())) {
            return Optional.of("must have no white space around it");
        }
        return text.chars().anyMatch(Character::isISOControl)
                ? Optional.of("must have no control character")
                : Optional.empty();
    }

    private static boolean isFileUri(String text) {
        try {
            URI uri = URI.create(text);
            return uri.getPath() != null
                    && uri.getPath().startsWith("/")
                    && !uri.getPath().endsWith("/")
                    && uri.getRawAuthority() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
