package io.formacdc.s3;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A folder as a bucket, for one machine: writes are atomic and durable, and compare-and-swap is real among all threads
 * and processes that use the folder through this class. Thread-safe; several instances may share a folder.
 *
 * <p>An object is a file at its key; what is not a letter, a digit or one of {@code . - _ = /} is percent-encoded. Keys
 * that would leave the folder are refused, and {@code x} and {@code x/y} cannot exist together. On a file system that
 * ignores case, neither can keys that differ in case alone. An etag is the hash of the content, so {@link #head} and
 * {@link #list} read every file that they report. The folder {@code ~store} is this class's own; a process that died
 * while writing may leave a {@code .part} file there. Not for network file systems, whose locks often are not real.
 */
public final class DirectoryObjectStore implements ObjectStore {
    /** Holds the lock and what is being written. The tilde keeps it apart from every key, where it would be encoded. */
    private static final String OWN_FOLDER = "~store";

    private final FolderKeys keys;

    /** The folder is the bucket: it must exist whenever a method is called. */
    public DirectoryObjectStore(Path folder) {
        this.keys = new FolderKeys(folder.toAbsolutePath().normalize());
    }

    @Override
    public StoredObject get(String key) {
        return attempt("get", key, () -> {
            try (InputStream object = open(key)) {
                byte[] content = object.readAllBytes();
                return new StoredObject(
                        content,
                        Fingerprint.of(new ByteArrayInputStream(content)).etag());
            }
        });
    }

    @Override
    public void download(String key, Path file) {
        attempt("download", key, () -> {
            try (InputStream object = open(key)) {
                return Files.copy(object, file, StandardCopyOption.REPLACE_EXISTING);
            }
        });
    }

    @Override
    public String put(String key, Path file) {
        return write("put", key, () -> Files.newInputStream(file), () -> {});
    }

    @Override
    public String putIfAbsent(String key, byte[] content) {
        return write("putIfAbsent", key, () -> new ByteArrayInputStream(content), () -> {
            if (Files.isRegularFile(keys.pathOf(key))) {
                throw new PreconditionFailedException(describe("putIfAbsent", key) + " failed: an object is there");
            }
        });
    }

    @Override
    public String putIfMatch(String key, byte[] content, String etag) {
        return write("putIfMatch", key, () -> new ByteArrayInputStream(content), () -> {
            if (find(key).filter(object -> etag.equals(object.etag())).isEmpty()) {
                throw new PreconditionFailedException(
                        describe("putIfMatch", key) + " failed: the object has another etag or is gone");
            }
        });
    }

    @Override
    public void copy(String sourceKey, String targetKey) {
        write("copy " + sourceKey + " to", targetKey, () -> open(sourceKey), () -> {});
    }

    @Override
    public void delete(String key) {
        attempt("delete", key, () -> {
            Path path = keys.pathOf(key);
            if (Files.isRegularFile(path)) {
                FolderLock.hold(ownFolder(), () -> {
                    if (Files.deleteIfExists(path)) {
                        sync(removeEmpty(parent(path)));
                    }
                });
            }
            return key;
        });
    }

    @Override
    public ObjectInfo head(String key) {
        return attempt("head", key, () -> find(key)).orElseThrow(() -> notFound("head", key));
    }

    @Override
    public Stream<ObjectInfo> list(String prefix) {
        return attempt("list", prefix, () -> keysUnder(prefix)).stream()
                .flatMap(key -> attempt("list", key, () -> find(key)).stream());
    }

    @Override
    public String toString() {
        return keys.root().toString();
    }

    private interface Attempt<T> {
        T run() throws IOException, InterruptedException;
    }

    private interface Content {
        InputStream open() throws IOException;
    }

    private interface Condition {
        void check() throws IOException;
    }

    private record Staged(Path path) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            Files.deleteIfExists(path);
        }
    }

    private <T> T attempt(String operation, String key, Attempt<T> attempt) {
        if (!Files.isDirectory(keys.root())) {
            throw new ObjectStoreException(describe(operation, key) + " failed: missing bucket, there is no folder");
        }
        try {
            if (Thread.currentThread().isInterrupted()) { // reading a file would not notice
                throw new ClosedByInterruptException();
            }
            return attempt.run();
        } catch (ClosedByInterruptException | FileLockInterruptionException | InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException(
                    describe(operation, key) + " was interrupted; it may have taken effect", e);
        } catch (IOException e) {
            throw new ObjectStoreException(describe(operation, key) + " failed: " + e, e);
        }
    }

    private String write(String operation, String key, Content content, Condition condition) {
        return attempt(operation, key, () -> {
            Path target = keys.pathOf(key);
            condition.check(); // spares writing what cannot win
            try (Staged staged = new Staged(ownFolder().resolve(UUID.randomUUID() + ".part"))) {
                String etag = stage(content, staged);
                FolderLock.hold(ownFolder(), () -> {
                    condition.check();
                    Files.createDirectories(parent(target));
                    Files.move(staged.path(), target, StandardCopyOption.ATOMIC_MOVE);
                    sync(parent(target));
                });
                return etag;
            }
        });
    }

    private static String stage(Content content, Staged staged) throws IOException {
        try (InputStream source = content.open();
                FileChannel file =
                        FileChannel.open(staged.path(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            Fingerprint written = Fingerprint.copying(source, Channels.newOutputStream(file));
            file.force(true);
            return written.etag();
        }
    }

    /** Makes names durable: a new folder is itself a name in its parent. */
    private void sync(Path folder) throws IOException {
        if (System.getProperty("os.name", "").startsWith("Windows")) {
            return; // cannot open a folder, and needs not: NTFS journals names
        }
        for (Path at = folder; at.startsWith(keys.root()); at = parent(at)) {
            try (FileChannel channel = FileChannel.open(at)) {
                channel.force(true);
            }
        }
    }

    /** Removes what would stand in the way of an object with a folder's key; returns the first folder that stays. */
    private Path removeEmpty(Path folder) throws IOException {
        Path at = folder;
        try {
            while (!at.equals(keys.root())) {
                Files.delete(at);
                at = parent(at);
            }
        } catch (DirectoryNotEmptyException stays) {
            return at;
        }
        return at;
    }

    private InputStream open(String key) throws IOException {
        Path path = keys.pathOf(key);
        try {
            if (Files.isRegularFile(path)) {
                return Files.newInputStream(path);
            }
        } catch (NoSuchFileException deletedMeanwhile) {
            throw notFound("open", key);
        }
        throw notFound("open", key);
    }

    private Optional<ObjectInfo> find(String key) throws IOException {
        Path path = keys.pathOf(key);
        if (!Files.isRegularFile(path)) {
            return Optional.empty();
        }
        try (InputStream object = Files.newInputStream(path)) {
            Instant lastModified = Files.getLastModifiedTime(path).toInstant();
            Fingerprint content = Fingerprint.of(object);
            return Optional.of(new ObjectInfo(key, content.sizeBytes(), content.etag(), lastModified));
        } catch (NoSuchFileException deletedMeanwhile) {
            return Optional.empty();
        }
    }

    private List<String> keysUnder(String prefix) throws IOException {
        List<String> found = new ArrayList<>();
        Files.walkFileTree(keys.folderOf(prefix), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                keys.keyOf(file).filter(key -> key.startsWith(prefix)).ifPresent(found::add);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }
        });
        found.sort(FolderKeys.ORDER);
        return found;
    }

    private Path ownFolder() throws IOException {
        return Files.createDirectories(keys.root().resolve(OWN_FOLDER));
    }

    /** Of a path below the root, so there is one. */
    private static Path parent(Path path) {
        return Objects.requireNonNull(path.getParent());
    }

    private ObjectNotFoundException notFound(String operation, String key) {
        return new ObjectNotFoundException(describe(operation, key) + " failed: no such key");
    }

    private String describe(String operation, String key) {
        return operation + " " + key + " in folder " + keys.root();
    }
}
