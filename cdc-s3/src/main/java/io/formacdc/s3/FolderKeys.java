package io.formacdc.s3;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.formacdc.core.ObjectStoreException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;

/**
 * Keys as paths. A slash parts folders; in between, letters, digits and {@code . - _ =} stand for themselves and all
 * else is percent-encoded, so that any key works on any file system and no two keys share a file.
 *
 * @param root absolute and normalized
 */
record FolderKeys(Path root) {
    /** The order of S3: bytes in UTF-8. */
    static final Comparator<String> ORDER = (a, b) -> Arrays.compareUnsigned(a.getBytes(UTF_8), b.getBytes(UTF_8));

    Path pathOf(String key) {
        Path path = root;
        for (String segment : key.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                throw new ObjectStoreException("key \"" + key + "\" is refused in folder " + root
                        + ": it is absolute, ends in a slash or has an empty, \".\" or \"..\" part");
            }
            String name = encoded(segment);
            if (!decoded(name).equals(segment)) {
                throw new ObjectStoreException("key \"" + key + "\" is refused: it is no Unicode text");
            }
            path = path.resolve(name);
        }
        return path;
    }

    /** The folder under which every key with the prefix lies. */
    Path folderOf(String prefix) {
        int slash = prefix.lastIndexOf('/');
        return slash < 0 ? root : pathOf(prefix.substring(0, slash));
    }

    /** Empty for a file that no key could have made. */
    Optional<String> keyOf(Path file) {
        StringBuilder key = new StringBuilder();
        for (Path name : root.relativize(file)) {
            try {
                String segment = decoded(name.toString());
                if (!encoded(segment).equals(name.toString())) {
                    return Optional.empty();
                }
                key.append(key.isEmpty() ? "" : "/").append(segment);
            } catch (IllegalArgumentException notEncoded) {
                return Optional.empty();
            }
        }
        return Optional.of(key.toString());
    }

    private static String encoded(String segment) {
        return URLEncoder.encode(segment, UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A")
                .replace("%3D", "=");
    }

    private static String decoded(String name) {
        return URLDecoder.decode(name, UTF_8);
    }
}
