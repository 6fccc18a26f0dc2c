package io.formacdc.examples.springboot;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import software.amazon.awssdk.services.s3.S3Client;

/** A PostgreSQL with one registered schema, and an S3 server, for the service to run on. */
final class LocalParts implements AutoCloseable {
    static final int SCHEMA = 1;

    /** Of each batch of notes one has a date that is none. */
    private static final String NOTES = """
            WITH note AS MATERIALIZED (
              SELECT n, gen_random_uuid() AS id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS version
              FROM generate_series(1, %d) n),
            written AS (
              INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, text_02,
                                       ltbase_created_at, ltbase_updated_at)
              SELECT 1, id, 'note ' || n, CASE n WHEN 1 THEN 'some day' ELSE '2026-11-25' END, version, version FROM note)
            INSERT INTO change_log (schema_id, row_id, flushed_at, changed_at) SELECT 1, id, 0, version FROM note""";

    final LocalPostgres postgres;
    final LocalS3 s3 = LocalS3.startOrExternal();
    private final String prefix = "service-" + UuidV7.next();
    private final S3Client client = S3Clients.create(
            CdcConfig.builder()
                    .s3Endpoint(s3.endpoint().toString())
                    .s3UsePath(true)
                    .build()
                    .withDefaults(),
            s3.accessKey(),
            s3.secretKey());

    /** @param postgres an empty database, closed with this */
    LocalParts(LocalPostgres postgres) throws SQLException {
        this.postgres = postgres;
        execute(LocalPostgres.ddl());
        execute("INSERT INTO schema_registry VALUES ('note', " + SCHEMA + ")");
        // The service finds its access key as the SDK does anywhere.
        System.setProperty("aws.accessKeyId", s3.accessKey());
        System.setProperty("aws.secretAccessKey", s3.secretKey());
    }

    /** Starts the service. */
    ConfigurableApplicationContext start(String... arguments) {
        return new SpringApplicationBuilder(CdcApplication.class)
                .properties(Map.<String, Object>of(
                        "CDC_PG_URL", postgres.jdbcUrl(),
                        "CDC_PG_USER", postgres.user(),
                        "CDC_PG_PASSWORD", postgres.password(),
                        "CDC_METADATA", metadata().toString(),
                        "CDC_BUCKET", s3.bucket(),
                        "cdc.prefix", prefix,
                        "cdc.endpoint", s3.endpoint().toString(),
                        "cdc.min-records", "1"))
                .run(arguments);
    }

    /** Writes so many notes, in one transaction. */
    void write(int notes) throws SQLException {
        execute(NOTES.formatted(notes));
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = postgres.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Rows of {@code table WHERE condition}. */
    long count(String from) throws SQLException {
        try (Connection connection = postgres.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM " + from)) {
            row.next();
            return row.getLong(1);
        }
    }

    Manifest listed() {
        return new ManifestStore(store(), new ManifestConfig(s3.bucket(), prefix, ""), ManifestStoreOptions.DEFAULTS)
                .load(SCHEMA)
                .manifest();
    }

    long sizeOf(String key) {
        return store().head(key).sizeBytes();
    }

    /** Keys of data in the bucket. */
    List<String> objects() {
        try (Stream<ObjectStore.ObjectInfo> objects = store().list(prefix + "/data/")) {
            return objects.map(ObjectStore.ObjectInfo::key).toList();
        }
    }

    private S3ObjectStore store() {
        return new S3ObjectStore(S3FullClient.of(client), s3.bucket());
    }

    private static Path metadata() {
        try {
            return Path.of(Objects.requireNonNull(LocalParts.class.getResource("/metadata"))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        s3.close();
        postgres.close();
    }
}
