package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.examples.localstack.LocalPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the benches share: one PostgreSQL with the settings of a small server, a private folder, and the standard work,
 * loaded once for each size.
 */
final class Stage implements AutoCloseable {
    private static final Map<String, String> SERVER_SETTINGS = Map.of(
            "shared_preload_libraries", "pg_stat_statements",
            "shared_buffers", "1GB",
            "max_wal_size", "8GB",
            "checkpoint_timeout", "1h",
            "autovacuum", "off");

    private final Settings settings;
    private final Path folder;
    private final Map<Integer, LocalPostgres> databases = new HashMap<>();
    private @Nullable LocalPostgres server;

    Stage(Settings settings) throws IOException {
        this.settings = settings;
        this.folder = Files.createTempDirectory("forma-cdc-benchmark-");
    }

    Settings settings() {
        return settings;
    }

    /** The standard work at this scale. */
    Workload workload() {
        return new Workload(Workload.SCHEMA_ID, settings.scaled(Workload.STANDARD_ROWS));
    }

    /** A new folder, deleted with the stage. */
    Path newFolder() throws IOException {
        return Files.createDirectories(folder.resolve(UUID.randomUUID().toString()));
    }

    /** A new store that answers at once. */
    FolderS3 newStore() throws IOException {
        return new FolderS3(newFolder(), Duration.ZERO);
    }

    /** A database with the four tables, and nothing in them, which stays until the stage is closed. */
    LocalPostgres newDatabase() throws SQLException {
        LocalPostgres database = server().createDatabase();
        try (Connection connection = database.dataSource().getConnection()) {
            LocalPostgres.createTables(connection);
        }
        return database;
    }

    /** The database with this work; loaded at the first call. */
    LocalPostgres database(Workload workload) throws SQLException {
        LocalPostgres loaded = databases.get(workload.rows());
        if (loaded == null) {
            loaded = newDatabase();
            try (Connection connection = loaded.dataSource().getConnection()) {
                workload.load(connection);
            }
            databases.put(workload.rows(), loaded);
        }
        return loaded;
    }

    /** Drops a database that no further bench needs. */
    void drop(Workload workload) {
        LocalPostgres database = databases.remove(workload.rows());
        if (database != null) {
            database.close();
        }
    }

    private LocalPostgres server() {
        if (server == null) {
            server = LocalPostgres.start(SERVER_SETTINGS);
        }
        return server;
    }

    /** The library's defaults, but for the addresses; whatever is dirty is flushed. */
    CdcConfigBuilder config(LocalPostgres database) {
        return CdcConfig.builder()
                .pgHost(database.host())
                .pgPort(database.port())
                .pgUser(database.user())
                .pgPassword(database.password())
                .pgDb(database.database())
                .pgSslMode("disable")
                .minRecords(1)
                .s3Bucket("benchmark")
                .s3Prefix("data")
                .manifestPrefix("lake")
                .spillDirectory(folder.resolve("spill").toString());
    }

    @Override
    public void close() throws IOException {
        databases.values().forEach(LocalPostgres::close);
        if (server != null) {
            server.close();
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
