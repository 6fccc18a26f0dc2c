package io.formacdc.s3;

import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A bucket behind an S3 client. Thread-safe if the client is. Files are streamed, and read again when the client
 * retries.
 *
 * <p>With a client that is no {@link S3FullClient}, all but {@link #copy} and {@link #delete} fails. With one that is no
 * {@link S3ListingClient}, {@link #head} opens the object and drops the connection, and {@link #list} fails. An interrupt during a request leaves as {@link
 * io.formacdc.core.CdcInterruptedException}, the interrupt flag set; a write may have taken effect. {@link #copy} is one
 * request, so at most 5 GiB on AWS.
 */
public final class S3ObjectStore implements ObjectStore {
    /** More is not believed before it has arrived. */
    private static final int MOST_ROOM = 64 << 20;

    private final S3ObjectClient client;
    private final String bucket;

    /** The client stays the caller's to close. */
    public S3ObjectStore(S3ObjectClient client, String bucket) {
        this.client = Objects.requireNonNull(client, "client");
        this.bucket = Objects.requireNonNull(bucket, "bucket");
    }

    @Override
    public StoredObject get(String key) {
        Content content = new Content();
        String etag = read(key, content::withRoomFor);
        return new StoredObject(content.bytes(), etag);
    }

    @Override
    public void download(String key, Path file) {
        read(key, length -> Files.newOutputStream(file));
    }

    private String read(String key, Target target) {
        S3FullClient full = full("getObject", key);
        try (ResponseInputStream<GetObjectResponse> body = full.getObject(getRequest(key));
                OutputStream out = target.open(body.response().contentLength())) {
            long arrived = body.transferTo(out);
            Long length = body.response().contentLength();
            if (length != null && length != arrived) {
                throw new ObjectStoreException(
                        describe("getObject", key) + " failed: " + arrived + " of " + length + " bytes arrived");
            }
            return etag("getObject", key, body.response().eTag());
        } catch (RuntimeException | IOException e) {
            throw S3Failure.of(describe("getObject", key), e);
        }
    }

    private interface Target {
        /** @param length of what will come, if the answer says so */
        OutputStream open(@Nullable Long length) throws IOException;
    }

    /** What arrives, in an array that is of the right size from the beginning: manifests have megabytes. */
    private static final class Content extends ByteArrayOutputStream {
        Content withRoomFor(@Nullable Long length) {
            if (length != null && length <= MOST_ROOM) {
                buf = new byte[length.intValue()];
            }
            return this;
        }

        byte[] bytes() {
            return count == buf.length ? buf : toByteArray();
        }
    }

    @Override
    public String put(String key, Path file) {
        try {
            return put(putRequest(key).build(), RequestBody.fromFile(file));
        } catch (RuntimeException e) {
            throw S3Failure.of(describe("putObject", key) + " from " + file, e);
        }
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return putOnCondition(putRequest(key).ifNoneMatch("*").build(), content);
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return putOnCondition(putRequest(key).ifMatch(etag).build(), content);
    }

    @Override
    public void copy(String sourceKey, String targetKey) {
        try {
            S3Objects.copy(client, bucket, sourceKey, targetKey);
        } catch (RuntimeException e) {
            throw S3Failure.of(S3Objects.describeCopy(bucket, sourceKey, targetKey), e);
        }
    }

    @Override
    public void delete(String key) {
        try {
            S3Objects.delete(client, bucket, key);
        } catch (RuntimeException e) {
            if (!S3Failure.isNoSuchKey(e)) {
                throw S3Failure.of(describe("deleteObject", key), e);
            }
        }
    }

    @Override
    public ObjectInfo head(String key) {
        if (client instanceof S3ListingClient full) {
            try {
                HeadObjectResponse head = full.headObject(
                        HeadObjectRequest.builder().bucket(bucket).key(key).build());
                String etag = etag("headObject", key, head.eTag());
                return info("headObject", key, head.contentLength(), etag, head.lastModified());
            } catch (RuntimeException e) {
                if (!S3Failure.isSomethingMissing(e)) {
                    throw S3Failure.of(describe("headObject", key), e);
                }
                // The key or the bucket? The SDK calls both NoSuchKey; only the body of a GET says which.
            }
        }
        return headByGet(key);
    }

    @Override
    public Stream<ObjectInfo> list(String prefix) {
        if (!(client instanceof S3ListingClient full)) {
            throw new ObjectStoreException(describe("listObjectsV2", prefix)
                    + " failed: the injected client cannot list; implement " + S3ListingClient.class.getName());
        }
        return Stream.iterate(page(full, prefix, null), Objects::nonNull, page -> pageAfter(full, prefix, page))
                .flatMap(page -> page.contents().stream())
                .map(this::listed);
    }

    /** Two stores are equal that reach one bucket by one client. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof S3ObjectStore that && client.equals(that.client) && bucket.equals(that.bucket);
    }

    @Override
    public int hashCode() {
        return Objects.hash(client, bucket);
    }

    @Override
    public String toString() {
        return "s3://" + bucket;
    }

    private String putOnCondition(PutObjectRequest request, byte[] content) {
        try {
            // Not fromBytes, which copies them.
            ContentStreamProvider bytes = ContentStreamProvider.fromByteArrayUnsafe(content);
            return put(request, RequestBody.fromContentProvider(bytes, content.length, "application/octet-stream"));
        } catch (RuntimeException e) {
            throw S3Failure.ofConditional(describe("putObject", request.key()), request.ifMatch() != null, e);
        }
    }

    private String put(PutObjectRequest request, RequestBody body) {
        S3FullClient full = full("putObject", request.key());
        return etag("putObject", request.key(), full.putObject(request, body).eTag());
    }

    private S3FullClient full(String operation, String key) {
        if (client instanceof S3FullClient full) {
            return full;
        }
        throw new ObjectStoreException(describe(operation, key)
                + " failed: the injected client can but copy and delete; implement " + S3FullClient.class.getName());
    }

    private ObjectInfo headByGet(String key) {
        S3FullClient full = full("getObject", key);
        try (ResponseInputStream<GetObjectResponse> body = full.getObject(getRequest(key))) {
            body.abort();
            GetObjectResponse head = body.response();
            String etag = etag("getObject", key, head.eTag());
            return info("getObject", key, head.contentLength(), etag, head.lastModified());
        } catch (RuntimeException | IOException e) {
            throw S3Failure.of(describe("getObject", key), e);
        }
    }

    private @Nullable ListObjectsV2Response pageAfter(S3ListingClient full, String prefix, ListObjectsV2Response page) {
        return Boolean.TRUE.equals(page.isTruncated()) ? page(full, prefix, page.nextContinuationToken()) : null;
    }

    /** A page that cannot be continued although there is more is not delivered: half a listing looks like a whole one. */
    private ListObjectsV2Response page(S3ListingClient full, String prefix, @Nullable String token) {
        String description = describe("listObjectsV2", prefix);
        try {
            ListObjectsV2Response page = full.listObjectsV2(ListObjectsV2Request.builder()
                    .bucket(bucket)
                    .prefix(prefix)
                    .continuationToken(token)
                    .build());
            String next = page.nextContinuationToken();
            if (Boolean.TRUE.equals(page.isTruncated()) && (next == null || next.isEmpty() || next.equals(token))) {
                throw new ObjectStoreException(
                        description + " failed: the store says there is more, and gives no token to go on");
            }
            return page;
        } catch (RuntimeException e) {
            throw S3Failure.of(description, e);
        }
    }

    /** Its etag is asked of nobody: an object without one, such as one in the making, must not hide all others. */
    private ObjectInfo listed(S3Object object) {
        String etag = object.eTag();
        return info(
                "listObjectsV2",
                object.key(),
                object.size(),
                etag == null || etag.isEmpty() ? null : etag,
                object.lastModified());
    }

    private ObjectInfo info(
            String operation, String key, @Nullable Long size, @Nullable String etag, @Nullable Instant lastModified) {
        if (size == null || lastModified == null) {
            throw new ObjectStoreException(
                    describe(operation, key) + " failed: the answer lacks the size or the time of the object");
        }
        return new ObjectInfo(key, size, etag, lastModified);
    }

    private String etag(String operation, String key, @Nullable String etag) {
        if (etag == null || etag.isEmpty()) {
            throw new ObjectStoreException(describe(operation, key) + " failed: the answer lacks an etag");
        }
        return etag;
    }

    private GetObjectRequest getRequest(String key) {
        return GetObjectRequest.builder().bucket(bucket).key(key).build();
    }

    private PutObjectRequest.Builder putRequest(String key) {
        return PutObjectRequest.builder().bucket(bucket).key(key);
    }

    private String describe(String operation, String key) {
        return operation + " s3://" + bucket + "/" + key;
    }
}
