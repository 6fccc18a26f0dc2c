package io.formacdc.examples.localstack;

import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.blobstore.ForwardingBlobStore;
import org.gaul.s3proxy.blobstore.S3Exceptions;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;

/**
 * Makes conditional writes exact. The server checks a condition when the request arrives, and the store writes later:
 * in between, another request can write. Here every operation on a key holds the key's lock, and a write checks its
 * condition again inside.
 */
@NullMarked
final class ConditionalBlobStore extends ForwardingBlobStore {
    private static final int STRIPES = 256;

    private final ReentrantLock[] locks =
            Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(ReentrantLock[]::new);

    ConditionalBlobStore(BlobStore delegate) {
        super(delegate);
    }

    @Override
    public PutObjectResponse putBlob(PutObjectRequest request, InputStream payload) {
        return locked(request.bucket(), request.key(), () -> {
            checkCondition(request.bucket(), request.key(), request.ifMatch(), request.ifNoneMatch());
            return super.putBlob(request, payload);
        });
    }

    /** Held until the content is open: the delegate reads the attributes and the content of a path one after the other. */
    @Override
    public ResponseInputStream<GetObjectResponse> getBlob(GetObjectRequest request) {
        return locked(request.bucket(), request.key(), () -> super.getBlob(request));
    }

    @Override
    public HeadObjectResponse blobMetadata(HeadObjectRequest request) {
        return locked(request.bucket(), request.key(), () -> super.blobMetadata(request));
    }

    /** Exact at the target. The source is read without its lock, so it must stand still, as a staged object does. */
    @Override
    public CopyObjectResponse copyBlob(CopyObjectRequest request) {
        return locked(request.destinationBucket(), request.destinationKey(), () -> super.copyBlob(request));
    }

    /** In a bucket that is not there, the delegate counts everything as deleted; S3 says that the bucket is missing. */
    @Override
    public DeleteObjectResponse removeBlob(DeleteObjectRequest request) {
        if (!containerExists(request.bucket())) {
            throw S3Exceptions.noSuchBucket(request.bucket(), "no such bucket");
        }
        return locked(request.bucket(), request.key(), () -> super.removeBlob(request));
    }

    private <T> T locked(String bucket, String key, Supplier<T> operation) {
        ReentrantLock lock = locks[Math.floorMod((bucket + "/" + key).hashCode(), STRIPES)];
        lock.lock();
        try {
            return operation.get();
        } finally {
            lock.unlock();
        }
    }

    private void checkCondition(String bucket, String key, @Nullable String ifMatch, @Nullable String ifNoneMatch) {
        if (ifMatch == null && ifNoneMatch == null) {
            return;
        }
        Optional<String> etag =
                Optional.ofNullable(blobMetadataIfPresent(bucket, key)).map(HeadObjectResponse::eTag);
        if (ifMatch != null && etag.isEmpty()) {
            throw S3Exceptions.noSuchKey(bucket, key, "If-Match");
        }
        boolean holds = (ifMatch == null || names(ifMatch, etag)) && (ifNoneMatch == null || !names(ifNoneMatch, etag));
        if (!holds) {
            throw S3Exceptions.fromStatusCode(412);
        }
    }

    private static boolean names(String condition, Optional<String> etag) {
        return etag.isPresent() && (condition.equals("*") || unquoted(condition).equals(unquoted(etag.get())));
    }

    private static String unquoted(String etag) {
        return etag.replace("\"", "");
    }
}
