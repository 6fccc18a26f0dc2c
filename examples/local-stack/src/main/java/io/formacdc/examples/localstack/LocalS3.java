package io.formacdc.examples.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * An S3 server over HTTP in this process, for examples and tests. It listens on a free port of 127.0.0.1, wants
 * signature version 4 and path-style addresses, takes any region, and keeps objects in a folder.
 *
 * <p>Conditional writes are exact: of any number of concurrent writers with one etag, one wins. It cannot hold the keys
 * {@code x} and {@code x/y} together, and needs a file system with user attributes. Thread-safe.
 */
@NullMarked
public final class LocalS3 implements AutoCloseable {
    /** A URL of a store to use instead of a server in this process; see {@link #startOrExternal()}. */
    public static final String ENDPOINT_VARIABLE = "CDC_TEST_S3_ENDPOINT";

    private static final String BUCKET = "cdc-local";

    private final URI endpoint;
    private final String accessKey;
    private final String secretKey;
    private final String bucket;
    private final @Nullable Server server;

    private LocalS3(URI endpoint, String accessKey, String secretKey, String bucket, @Nullable Server server) {
        this.endpoint = endpoint;
        this.accessKey = accessKey;
        this.secretKey = secretKey;
        this.bucket = bucket;
        this.server = server;
    }

    /** Starts a server in a new temporary folder, which {@link #close()} deletes, or the end of the JVM. */
    public static LocalS3 start() {
        return start(temporaryFolder(), true, ConditionalBlobStore::new);
    }

    /**
     * Starts a server in a folder, which stays; what an earlier server left there is served again.
     *
     * @param folder created if it is not there
     */
    public static LocalS3 start(Path folder) {
        return start(folder, false, ConditionalBlobStore::new);
    }

    /**
     * Starts a server that accepts conditional writes and loses updates all the same: of concurrent writers with one
     * etag, several win. Stores like this exist; whoever relies on conditions must find them out.
     */
    public static LocalS3 startLossy() {
        return start(temporaryFolder(), true, UnaryOperator.identity());
    }

    /**
     * The store that tests use: the one at {@value #ENDPOINT_VARIABLE} (with {@code CDC_TEST_S3_ACCESS_KEY}, {@code
     * CDC_TEST_S3_SECRET_KEY} and {@code CDC_TEST_S3_BUCKET}) if that is set, else a container under the Maven profile
     * {@code containers}, else {@link #start()}. What others keep in an external bucket stays there, so keep to a prefix
     * of your own.
     */
    public static LocalS3 startOrExternal() {
        String external = System.getenv(ENDPOINT_VARIABLE);
        if (external == null || external.isBlank()) {
            return ServerSource.find().map(source -> at(source.store())).orElseGet(LocalS3::start);
        }
        return at(new ServerSource.Store(
                URI.create(external),
                variable("CDC_TEST_S3_ACCESS_KEY"),
                variable("CDC_TEST_S3_SECRET_KEY"),
                variable("CDC_TEST_S3_BUCKET")));
    }

    /** The address for a client's endpoint override. */
    public URI endpoint() {
        return endpoint;
    }

    /** The one access key that the server knows. */
    public String accessKey() {
        return accessKey;
    }

    /** Its secret. */
    public String secretKey() {
        return secretKey;
    }

    /** A bucket that is there from the start. */
    public String bucket() {
        return bucket;
    }

    /**
     * Creates a further bucket; one that is there already is left alone.
     *
     * @throws IllegalStateException if the store is an external one
     */
    public void createBucket(String name) {
        if (server == null) {
            throw new IllegalStateException("cannot create bucket " + name + " in the external store " + endpoint);
        }
        server.createBucket(name);
    }

    /** Stops the server and deletes a temporary folder. May be called twice; leaves an external store alone. */
    @Override
    public void close() {
        if (server != null) {
            server.stop();
        }
    }

    Optional<Path> folder() {
        return Optional.ofNullable(server).map(Server::folder);
    }

    /** Where it cannot be started, as when the JVM is about to end, a folder to be deleted is gone too. */
    static LocalS3 start(Path folder, boolean deleteOnClose, UnaryOperator<BlobStore> wrapper) {
        try {
            return startIn(folder, deleteOnClose, wrapper);
        } catch (RuntimeException e) {
            if (deleteOnClose && Files.exists(folder)) {
                deleteTree(folder);
            }
            throw e;
        }
    }

    private static LocalS3 startIn(Path folder, boolean deleteOnClose, UnaryOperator<BlobStore> wrapper) {
        String accessKey = "local-access-key";
        String secretKey = "local-secret-key";
        try {
            Files.createDirectories(folder);
            BlobStore store = wrapper.apply(
                    new FilesystemNio2BlobStore(folder.toRealPath().toString()));
            S3Proxy proxy = S3Proxy.builder()
                    .blobStore(store)
                    .endpoint(URI.create("http://127.0.0.1:0"))
                    .awsAuthentication(AuthenticationType.AWS_V4, accessKey, secretKey)
                    .ignoreUnknownHeaders(true)
                    .build();
            Server server = new Server(proxy, store, folder, deleteOnClose);
            if (deleteOnClose) {
                Runtime.getRuntime().addShutdownHook(new Thread(server::stop, "local-s3-cleanup"));
            }
            proxy.start();
            server.createBucket(BUCKET);
            return new LocalS3(URI.create("http://127.0.0.1:" + proxy.getPort()), accessKey, secretKey, BUCKET, server);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot use the folder " + folder, e);
        } catch (Exception e) {
            throw new IllegalStateException("cannot start the S3 server", e);
        }
    }

    private static Path temporaryFolder() {
        try {
            return Files.createTempDirectory("local-s3-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create a temporary folder", e);
        }
    }

    private static LocalS3 at(ServerSource.Store store) {
        return new LocalS3(store.endpoint(), store.accessKey(), store.secretKey(), store.bucket(), null);
    }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null || value.isBlank()) {
            throw new IllegalStateException(ENDPOINT_VARIABLE + " is set, so " + name + " must be set too");
        }
        return value;
    }

    private record Server(S3Proxy proxy, BlobStore store, Path folder, boolean deleteOnClose) {
        void createBucket(String name) {
            if (!store.containerExists(name)) {
                store.createContainer(name);
            }
        }

        /** Also by two threads, as when the JVM ends while the store is closed. */
        synchronized void stop() {
            try {
                proxy.stop();
                store.close();
                if (deleteOnClose && Files.exists(folder)) {
                    deleteTree(folder);
                }
            } catch (UncheckedIOException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("cannot stop the S3 server", e);
            }
        }
    }

    private static void deleteTree(Path folder) {
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.delete(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                        throws IOException {
                    if (failure != null) {
                        throw failure;
                    }
                    Files.delete(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the folder " + folder, e);
        }
    }
}
