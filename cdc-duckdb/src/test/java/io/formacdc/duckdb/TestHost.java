package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.FlushReport;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.UuidV7;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/** A host as tests know it: a database of its own with the three tables, a prefix of its own in a bucket. */
final class TestHost implements AutoCloseable {
    static final LocalS3 S3 = LocalS3.startOrExternal();
    private static final S3Client SDK = S3Clients.create(
            CdcConfig.builder()
                    .s3Endpoint(S3.endpoint().toString())
                    .s3Region("us-east-1")
                    .s3UsePath(true)
                    .build(),
            S3.accessKey(),
            S3.secretKey());

    /** How flushes of new configurations move rows; a suite that is run again in another way changes it. */
    static Way way = Way.BUILT_IN;

    final LocalPostgres postgres;
    final S3FullClient client = sharedClient();
    final Connection connection;
    private final String prefix = "t-" + UuidV7.next();

    TestHost() throws SQLException {
        this(LocalPostgres.shared());
    }

    TestHost(LocalPostgres server) throws SQLException {
        postgres = server.createDatabase();
        connection = postgres.dataSource().getConnection();
        LocalPostgres.createTables(connection);
    }

    /** Flushes whatever is dirty. */
    CdcConfigBuilder config() {
        return CdcConfig.builder()
                .pgHost(postgres.host())
                .pgPort(postgres.port())
                .pgUser(postgres.user())
                .pgPassword(postgres.password())
                .pgDb(postgres.database())
                .pgSslMode("disable")
                .minRecords(1)
                .s3Bucket(S3.bucket())
                .s3Prefix(prefix + "/delta")
                .manifestPrefix(prefix)
                .duckThreads(2)
                .duckMemLimit("512MB")
                .s3Endpoint(S3.endpoint().toString())
                .s3Region("us-east-1")
                .s3UsePath(true)
                .transport(way.transport())
                .duckExtensionDirectory(way.directory());
    }

    FlushReport flush(@Nullable SchemaRegistry registry) {
        return runOnce(config().build(), registry);
    }

    /** As {@link Cdc#runOnce}, with the stand-in if that is the way. */
    FlushReport runOnce(CdcConfig config, @Nullable SchemaRegistry registry) {
        if (way != Way.STAND_IN) {
            return Cdc.runOnce(config, client, false, registry);
        }
        try {
            Path folder = Files.createTempDirectory("stand-in");
            try {
                return new ExtensionFlush(this, config, client, new StandInExtensions(this, folder)).run(registry);
            } finally {
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static SchemaRegistry registry(int schemaId, SchemaAttributes attributes) {
        return id -> Optional.ofNullable(Map.of(schemaId, attributes).get(id));
    }

    void sql(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Runs a statement with {@code ?} in it; PostgreSQL finds out the types of the values. */
    void sql(String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                if (values[i] instanceof String text) {
                    statement.setObject(i + 1, text, Types.OTHER);
                } else {
                    statement.setObject(i + 1, values[i]);
                }
            }
            statement.execute();
        }
    }

    /** An entity without hot columns set, and its dirty row. */
    void insert(int schemaId, UUID rowId, long version) throws SQLException {
        sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at)"
                        + " VALUES (?, ?, ?, ?)",
                schemaId,
                rowId,
                version,
                version);
        sql("INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (?, ?, ?)", schemaId, rowId, version);
    }

    void insertEav(
            int schemaId, UUID rowId, int attrId, String arrayIndices, @Nullable String text, @Nullable String numeric)
            throws SQLException {
        sql(
                "INSERT INTO eav_data (schema_id, row_id, attr_id, array_indices, value_text, value_numeric)"
                        + " VALUES (?, ?, ?, ?, ?, ?)",
                schemaId,
                rowId,
                attrId,
                arrayIndices,
                text,
                numeric);
    }

    /** The listed files alone. */
    Lake lake(int schemaId) {
        return Lake.open(config().build(), client, schemaId);
    }

    S3ObjectStore store() {
        return new S3ObjectStore(client, S3.bucket());
    }

    String bucket() {
        return S3.bucket();
    }

    /** As libpq reads it. */
    String connectionString() {
        return "host=%s port=%d user=%s password='%s' dbname=%s sslmode=disable"
                .formatted(postgres.host(), postgres.port(), postgres.user(), postgres.password(), postgres.database());
    }

    /** Key of something of this host's own. */
    String key(String name) {
        return prefix + "/" + name;
    }

    /** Every row as text, from PostgreSQL or DuckDB. */
    static List<List<@Nullable String>> rows(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            int columns = result.getMetaData().getColumnCount();
            List<List<@Nullable String>> rows = new ArrayList<>();
            while (result.next()) {
                List<@Nullable String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(result.getString(i));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    /** The first column of every row as text. */
    static List<@Nullable String> column(Connection connection, String sql) throws SQLException {
        List<@Nullable String> column = new ArrayList<>();
        rows(connection, sql).forEach(row -> column.add(row.get(0)));
        return column;
    }

    long count(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }

    /** Whether a statement of the library waits for a lock. */
    boolean somethingWaits() throws SQLException {
        try (Connection watcher = postgres.dataSource().getConnection()) {
            return !column(watcher, """
                    SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name = 'forma-cdc' AND wait_event_type = 'Lock'""").isEmpty();
        }
    }

    /** A client of the store that every host shares. */
    static S3FullClient sharedClient() {
        return S3FullClient.of(SDK);
    }

    /** The server that every host shares. */
    static LocalS3 s3() {
        return S3;
    }

    /** Every object of this host, data and manifests. */
    List<ObjectInfo> objects() {
        try (Stream<ObjectInfo> objects = new S3ObjectStore(client, S3.bucket()).list(prefix + "/")) {
            return objects.toList();
        }
    }

    /** Keys of the Parquet files of this host, listed or not. */
    List<String> dataKeys() {
        return objects().stream()
                .map(ObjectInfo::key)
                .filter(key -> key.endsWith(".parquet"))
                .toList();
    }

    /** A fingerprint of every row of the three tables, their physical versions included. */
    String tables() throws SQLException {
        StringBuilder all = new StringBuilder();
        for (String table : List.of("entity_main", "eav_data", "change_log")) {
            try (Statement statement = connection.createStatement();
                    ResultSet result =
                            statement.executeQuery("SELECT count(*) || md5(string_agg(concat(t.*::text, xmin,"
                                    + " ctid), ' ' ORDER BY ctid)) FROM " + table + " t")) {
                result.next();
                all.append(table).append(' ').append(result.getString(1)).append('\n');
            }
        }
        return all.toString();
    }

    /** Paths that a schema's manifest lists. */
    List<String> listedKeys(int schemaId) {
        ManifestConfig manifests =
                ManifestConfig.of(config().build().withDefaults()).orElseThrow();
        return new ManifestStore(new S3ObjectStore(client, S3.bucket()), manifests, ManifestStoreOptions.DEFAULTS)
                .load(schemaId).manifest().entries().stream()
                        .map(ManifestEntry::path)
                        .toList();
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        // A server of our own goes as a whole, which is quicker than a drop for each test.
        if (System.getenv(LocalPostgres.URL_VARIABLE) != null) {
            postgres.close();
        }
    }
}
