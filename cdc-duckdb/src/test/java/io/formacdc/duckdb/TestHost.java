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
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/** A host as tests know it: a database of its own with the three tables, a prefix of its own in a bucket. */
final class TestHost implements AutoCloseable {
    private static final LocalS3 S3 = LocalS3.startOrExternal();
    private static final S3Client SDK = S3Clients.create(
            CdcConfig.builder()
                    .s3Endpoint(S3.endpoint().toString())
                    .s3Region("us-east-1")
                    .s3UsePath(true)
                    .build(),
            S3.accessKey(),
            S3.secretKey());

    final LocalPostgres postgres = LocalPostgres.shared().createDatabase();
    final S3FullClient client = S3FullClient.of(SDK);
    final Connection connection;
    private final String prefix = "t-" + UuidV7.next();

    TestHost() throws SQLException {
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
                .duckMemLimit("512MB");
    }

    FlushReport flush(@Nullable SchemaRegistry registry) {
        return Cdc.runOnce(config().build(), client, false, registry);
    }

    static SchemaRegistry registry(int schemaId, SchemaAttributes attributes) {
        return id -> Optional.ofNullable(Map.of(schemaId, attributes).get(id));
    }

    void sql(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    long count(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
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
    }
}
