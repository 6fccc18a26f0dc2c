package io.formacdc.manifest;

import io.formacdc.core.FencedException;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Remembers where a manifest stood before a snapshot was taken, and refuses what another flush has made stale. Confined
 * to a thread.
 *
 * <p>The rule has two halves, and either alone lets something through: the count finds a flush whose file a compaction
 * has taken up since, the keys find a flush of an older writer, which does not count.
 */
final class Fence {
    private final int schemaId;
    private final long openedAt;
    private final Set<String> knownKeys;
    private final Set<String> ownFlushes = new HashSet<>();

    Fence(Manifest opened) {
        this.schemaId = opened.schemaId();
        this.openedAt = opened.flushSeq();
        this.knownKeys = keysOf(opened).collect(Collectors.toSet());
    }

    /** @throws FencedException if another flush has appended since, listed still or retired already */
    void check(Manifest now) {
        long expected = openedAt + ownFlushes.size();
        if (now.flushSeq() != expected) {
            throw new FencedException("schema " + schemaId + ": another flush has been at work, flush_seq is "
                    + now.flushSeq() + " and was expected at " + expected);
        }
        keysOf(now)
                .filter(key -> !knownKeys.contains(key) && !ownFlushes.contains(key) && isOfFlush(key))
                .findFirst()
                .ifPresent(key -> {
                    throw new FencedException(
                            "schema " + schemaId + ": another flush has been at work, it listed \"" + key + "\"");
                });
    }

    /** Lets an append of one's own pass from now on. */
    void appended(String key) {
        if (!knownKeys.contains(key)) {
            ownFlushes.add(key);
        }
    }

    /** In whatever tier a relabelling has put them. */
    private static Stream<String> keysOf(Manifest manifest) {
        return Stream.concat(
                manifest.entries().stream().map(ManifestEntry::key),
                manifest.retired().stream().map(RetiredFile::key));
    }

    /** Whether a key is {@code {...}/{schemaId}/{uuid}.parquet}. */
    private boolean isOfFlush(String key) {
        return KeyShape.ofListed(schemaId, key) == KeyShape.FLUSHED;
    }
}
