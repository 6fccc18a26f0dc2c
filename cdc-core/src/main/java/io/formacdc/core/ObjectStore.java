package io.formacdc.core;

import java.nio.file.Path;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One bucket. Implementations are thread-safe, and all pass one contract suite.
 *
 * <p>A write is atomic: a reader sees the whole old object or the whole new one. A successful write is durable and seen
 * by every later read (as S3 promises since 2020). An etag is opaque and is handed back exactly as it was received.
 *
 * <p>Every method throws {@link ObjectStoreException} when the request fails for a reason not named with it, a missing
 * bucket included. Of a failed write nothing is known: it may have taken effect.
 */
public interface ObjectStore {
    /**
     * Reads a whole object into memory.
     *
     * @throws ObjectNotFoundException if the bucket is there and the key is not
     */
    StoredObject get(String key);

    /**
     * Reads a whole object into a file, in place of what the file held. After a failure the file may hold a part.
     *
     * @throws ObjectNotFoundException if the bucket is there and the key is not
     */
    void download(String key, Path file);

    /** Writes a file's content, whatever is there; returns the etag. May be called again with the same arguments. */
    String put(String key, Path file);

    /**
     * Creates an object only if none is there; returns its etag.
     *
     * @throws PreconditionFailedException if one is there, perhaps from this very call sent twice
     */
    String putIfAbsent(String key, byte[] content);

    /**
     * Replaces an object only if it still has the etag; returns the new one.
     *
     * @throws PreconditionFailedException if it has another or is gone, perhaps through this very call sent twice
     */
    String putIfMatch(String key, byte[] content, String etag);

    /**
     * Copies inside the bucket.
     *
     * @throws ObjectNotFoundException if there is no source
     */
    void copy(String sourceKey, String targetKey);

    /** Deletes an object; an absent one counts as deleted. */
    void delete(String key);

    /**
     * Asks for an object without reading it.
     *
     * @throws ObjectNotFoundException if the bucket is there and the key is not
     */
    ObjectInfo head(String key);

    /**
     * All objects whose key starts with the prefix, in key order, read page by page as the stream is consumed.
     *
     * @throws ObjectStoreException also while the stream is consumed; a listing that breaks off never looks complete
     */
    Stream<ObjectInfo> list(String prefix);

    /** An object in memory. */
    @SuppressWarnings("ArrayRecordComponent") // never compared; a copy of a large manifest would buy nothing
    record StoredObject(byte[] content, String etag) {}

    /**
     * What a store says of an object.
     *
     * @param sizeBytes length of its content
     * @param etag null where a listing does not tell it, as some stores do of an object that is being written
     * @param lastModified by the store's clock
     */
    record ObjectInfo(String key, long sizeBytes, @Nullable String etag, Instant lastModified) {}
}
