package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A DuckDB of our own with a private folder: it sees no network, no extension, no credential, and no file outside that
 * folder, and its settings are locked. Closing it deletes the folder. A connection is confined to a thread.
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
        Path folder = createFolder(config.spillDirectory());
        try {
            Connection connection = DriverManager.getConnection("jdbc:duckdb:" + config.duckDbPath());
            try {
                lockDown(connection, folder, config.duckThreads(), config.duckMemLimit());
                DuckSession session = new DuckSession(connection, folder);
                if (listener != CdcListener.NONE) {
                    session.sampler = MemorySampler.start(session.newConnection(), listener);
                }
                return session;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException e) {
            deleteTree(folder);
            throw new CdcException(
                    "DuckDB could not be opened"
                            + (config.duckDbPath().isEmpty()
                                    ? ""
                                    : " on " + config.duckDbPath() + ", which only one pass at a time can use")
                            + ": " + e.getMessage(),
                    e);
        }
    }

    private static void lockDown(Connection connection, Path folder, int threads, String memoryLimit)
            throws SQLException {
        String spill = ExportSql.literal(folder.toString());
        List<String> settings = List.of(
                "SET threads = " + threads,
                "SET memory_limit = " + ExportSql.literal(memoryLimit),
                "SET temp_directory = " + spill,
                "SET preserve_insertion_order = false",
                "SET autoinstall_known_extensions = false",
                "SET autoload_known_extensions = false",
                "SET allowed_directories = [" + ExportSql.literal(folder + "/") + "]",
                "SET enable_external_access = false",
                "SET lock_configuration = true");
        try (Statement statement = connection.createStatement()) {
            for (String setting : settings) {
                statement.execute(setting);
            }
        }
    }

    Connection connection() {
        return connection;
    }

    /** One more connection to the same database, with its settings, for the caller to close. Thread-safe. */
    Connection newConnection() throws SQLException {
        return connection.unwrap(DuckDBConnection.class).duplicate();
    }

    /** Another DuckDB, of one thread, that sees this one's folder and leaves it there; for the caller to close. */
    Connection openAnother(String memoryLimit) throws SQLException {
        Connection another = DriverManager.getConnection("jdbc:duckdb:");
        try {
            lockDown(another, folder, 1, memoryLimit);
            return another;
        } catch (SQLException e) {
            another.close();
            throw e;
        }
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
        } catch (IOException e) {
            throw new CdcException("no spill folder could be made in \"" + spillDirectory + "\": " + e.getMessage(), e);
        }
    }

    private static void deleteTree(Path folder) {
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
