package io.formacdc.examples.benchmarks;

import io.formacdc.s3.S3ListingClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * An object store on the local disk, as near to free as one can be, so that what is measured is the library and not a
 * server in the same process. Each request can be made to last as long as a store over the network takes, and is counted.
 * Conditional writes are exact among the threads that use one instance. Thread-safe.
 */
final class FolderS3 implements S3ListingClient {
    private final Path folder;
    private final Duration latency;
    private final Map<String, Long> requests = new ConcurrentHashMap<>();

    FolderS3(Path folder, Duration latency) {
        this.folder = folder;
        this.latency = latency;
    }

    /** Requests by kind since the beginning. */
    Map<String, Long> requests() {
        return Map.copyOf(requests);
    }

    /** A request that does nothing, for as long as a request takes. */
    void emptyRequest() {
        begin("empty");
    }

    private void begin(String kind) {
        requests.merge(kind, 1L, Long::sum);
        long end = System.nanoTime() + latency.toNanos();
        for (long rest = latency.toNanos(); rest > 0; rest = end - System.nanoTime()) {
            LockSupport.parkNanos(rest);
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    private interface Work<T> {
        T run() throws IOException;
    }

    private static <T> T attempt(Work<T> work) {
        try {
            return work.run();
        } catch (NoSuchFileException e) {
            throw NoSuchKeyException.builder()
                    .statusCode(404)
                    .awsErrorDetails(details("NoSuchKey"))
                    .message("no such key")
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static AwsErrorDetails details(String code) {
        return AwsErrorDetails.builder().errorCode(code).errorMessage(code).build();
    }

    private static String etag(BasicFileAttributes file) {
        // A new file has another inode as long as the old one is there, which the move sees to.
        return "\"" + Integer.toHexString(String.valueOf(file.fileKey()).hashCode()) + "-"
                + file.lastModifiedTime().toInstant().toEpochMilli() + "-" + file.size() + "\"";
    }

    private static BasicFileAttributes attributes(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class);
    }

    @Override
    public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
        begin("put");
        return attempt(() -> {
            Path path = folder.resolve(request.key());
            Path part = folder.resolve(UUID.randomUUID() + ".part");
            Files.createDirectories(folder);
            try (InputStream content = body.contentStreamProvider().newStream()) {
                Files.copy(content, part);
            }
            return PutObjectResponse.builder().eTag(place(part, path, request)).build();
        });
    }

    private synchronized String place(Path part, Path path, PutObjectRequest request) throws IOException {
        String present = Files.exists(path) ? etag(attributes(path)) : null;
        if (!isAllowed(present, request)) {
            Files.delete(part);
            throw S3Exception.builder()
                    .statusCode(412)
                    .awsErrorDetails(details("PreconditionFailed"))
                    .message("precondition failed")
                    .build();
        }
        Files.createDirectories(path.getParent());
        // A move that replaces a file makes some file systems write the new one out at once.
        Files.deleteIfExists(path);
        Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        return etag(attributes(path));
    }

    private static boolean isAllowed(@Nullable String present, PutObjectRequest request) {
        return (request.ifNoneMatch() == null || present == null)
                && (request.ifMatch() == null || request.ifMatch().equals(present));
    }

    @Override
    public ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request) {
        begin("get");
        return attempt(() -> {
            Path path = folder.resolve(request.key());
            InputStream content;
            BasicFileAttributes file;
            synchronized (this) {
                content = Files.newInputStream(path);
                file = attributes(path);
            }
            GetObjectResponse response = GetObjectResponse.builder()
                    .eTag(etag(file))
                    .contentLength(file.size())
                    .lastModified(file.lastModifiedTime().toInstant())
                    .build();
            return new ResponseInputStream<>(response, AbortableInputStream.create(content));
        });
    }

    @Override
    public HeadObjectResponse headObject(HeadObjectRequest request) {
        begin("head");
        return attempt(() -> {
            BasicFileAttributes file;
            synchronized (this) {
                file = attributes(folder.resolve(request.key()));
            }
            return HeadObjectResponse.builder()
                    .eTag(etag(file))
                    .contentLength(file.size())
                    .lastModified(file.lastModifiedTime().toInstant())
                    .build();
        });
    }

    @Override
    public CopyObjectResponse copyObject(CopyObjectRequest request) {
        begin("copy");
        return attempt(() -> {
            Path target = folder.resolve(request.destinationKey());
            Files.createDirectories(target.getParent());
            Files.copy(folder.resolve(request.sourceKey()), target, StandardCopyOption.REPLACE_EXISTING);
            return CopyObjectResponse.builder().build();
        });
    }

    @Override
    public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
        begin("delete");
        return attempt(() -> {
            Files.deleteIfExists(folder.resolve(request.key()));
            return DeleteObjectResponse.builder().build();
        });
    }

    /** Everything is on the first page. */
    @Override
    public ListObjectsV2Response listObjectsV2(ListObjectsV2Request request) {
        begin("list");
        return attempt(() -> {
            try (Stream<Path> files = Files.walk(folder)) {
                return ListObjectsV2Response.builder()
                        .contents(files.filter(Files::isRegularFile)
                                .map(path -> object(folder.relativize(path).toString(), path))
                                .filter(object -> object.key().startsWith(request.prefix()))
                                .sorted(java.util.Comparator.comparing(S3Object::key))
                                .toList())
                        .isTruncated(false)
                        .build();
            }
        });
    }

    private static S3Object object(String key, Path path) {
        return attempt(() -> {
            BasicFileAttributes file = attributes(path);
            return S3Object.builder()
                    .key(key)
                    .size(file.size())
                    .eTag(etag(file))
                    .lastModified(file.lastModifiedTime().toInstant())
                    .build();
        });
    }
}
