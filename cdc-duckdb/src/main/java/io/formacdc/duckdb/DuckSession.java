package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A DuckDB of our own with a private folder: it sees no network, no extension, no credential, and no file outside that
 * folder, if it was not opened for just that, and its settings are locked. Closing it deletes the folder. A connection is confined to a thread.
 */
final class DuckSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DuckSession.class);

    private final Connection connection;
    private final Path folder;
    private @Nullable MemorySampler sampler;

    private DuckSession(Connection connection, Path folder) {
        this.connection = connection;
        this.folder = folder;
    }

    static DuckSession open(CdcConfig config) {
        return open(config, CdcListener.NONE);
    }

    /** @param listener told of the memory it holds, on a thread of its own, until it is closed */
    static DuckSession open(CdcConfig config, CdcListener listener) {
        return start(config, UnaryOperator.identity(), session -> {
            session.lockDown(List.of(session.folder));
            if (listener != CdcListener.NONE) {
                session.sampler = MemorySampler.start(session.newConnection(), listener);
            }
        });
    }

    /**
     * One that reaches other places by its extensions, which are loaded. It reads no stored secret.
     *
     * @param around what stands between the session and its connection
     * @throws CdcException that names each extension that cannot be loaded
     */
    static DuckSession openWithExtensions(CdcConfig config, UnaryOperator<Connection> around) {
        return start(config, around, session -> {
            session.set("SET allow_persistent_secrets = false");
            DuckExtensions.load(session.connection, config.duckExtensionDirectory());
            session.set("SET lock_configuration = true");
        });
    }

    private interface Setup {
        void of(DuckSession session) throws SQLException;
    }

    private static DuckSession start(CdcConfig config, UnaryOperator<Connection> around, Setup setup) {
        Path folder = createFolder(config.spillDirectory());
        try {
            Connection connection = around.apply(DriverManager.getConnection("jdbc:duckdb:" + config.duckDbPath()));
            DuckSession session = new DuckSession(connection, folder);
            try {
                session.setResources(config);
                setup.of(session);
                return session;
            } catch (SQLException | RuntimeException e) {
                session.close();
                throw e;
            }
        } catch (SQLException e) {
            deleteTree(folder);
            throw notOpened(config, e);
        }
    }

    private static CdcException notOpened(CdcConfig config, SQLException e) {
        return new CdcException(
                "DuckDB could not be opened"
                        + (config.duckDbPath().isEmpty()
                                ? ""
                                : " on " + config.duckDbPath() + ", which only one pass at a time can use")
                        + ": " + e.getMessage(),
                e);
    }

    private void setResources(CdcConfig config) throws SQLException {
        set("SET threads = " + config.duckThreads());
        set("SET memory_limit = " + ExportSql.literal(config.duckMemLimit()));
        set("SET temp_directory = " + ExportSql.literal(folder.toString()));
        set("SET preserve_insertion_order = false");
        set("SET autoinstall_known_extensions = false");
        set("SET autoload_known_extensions = false");
    }

    private void lockDown(List<Path> folders) throws SQLException {
        String allowed = folders.stream()
                .map(allowedFolder -> ExportSql.literal(allowedFolder + "/"))
                .collect(Collectors.joining(", ", "[", "]"));
        set("SET allowed_directories = " + allowed);
        set("SET enable_external_access = false");
        set("SET lock_configuration = true");
    }

    private void set(String setting) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(setting);
        }
    }

    Connection connection() {
        return connection;
    }

    /** One more connection to the same database, with its settings, for the caller to close. Thread-safe. */
    Connection newConnection() throws SQLException {
        return connection.unwrap(DuckDBConnection.class).duplicate();
    }

    /** Another one, in memory and of one thread, that sees this one's folder too. */
    DuckSession openAnother(CdcConfig config) {
        CdcConfig small = config.toBuilder().duckDbPath("").duckThreads(1).build();
        return start(small, UnaryOperator.identity(), another -> another.lockDown(List.of(another.folder, folder)));
    }

    /** A private folder, gone when this is closed. */
    Path folder() {
        return folder;
    }

    /** Does not throw. */
    @Override
    public void close() {
        if (sampler != null) {
            sampler.close();
        }
        try {
            connection.close();
        } catch (SQLException e) {
            LOG.warn("DuckDB did not close cleanly", e);
        }
        deleteTree(folder);
    }

    private static Path createFolder(String spillDirectory) {
        try {
            // Readable by this user alone, as the JDK makes temporary folders.
            return spillDirectory.isEmpty()
                    ? Files.createTempDirectory("forma-cdc-")
                    : Files.createTempDirectory(Files.createDirectories(Path.of(spillDirectory)), "forma-cdc-");
        } catch (IOException | InvalidPathException e) {
            String where = spillDirectory.isEmpty() ? System.getProperty("java.io.tmpdir") : spillDirectory;
            throw new CdcException(
                    "no spill folder could be made in \"" + where + "\" (spillDirectory): " + reason(e), e);
        }
    }

    /** The JDK says in the type, not in the text, what the usual reasons are. */
    static String reason(Exception e) {
        if (e instanceof NoSuchFileException missing) {
            return "there is no " + missing.getFile() + ", and it cannot be created";
        } else if (e instanceof FileAlreadyExistsException file) {
            return file.getFile() + " is no folder";
        } else if (e instanceof AccessDeniedException denied) {
            return "no permission to write " + denied.getFile();
        }
        return String.valueOf(e.getMessage());
    }

    private static void deleteTree(Path folder) {
        if (Files.notExists(folder)) {
            return; // closed before
        }
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                    Files.deleteIfExists(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            LOG.warn("could not delete spill folder {}", folder, e);
        }
    }
}
