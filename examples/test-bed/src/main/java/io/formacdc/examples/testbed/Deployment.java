package io.formacdc.examples.testbed;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.CdcListener;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.postgresql.ds.PGSimpleDataSource;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Where everything is; small enough to be handed to another process.
 *
 * @param s3Endpoint of the store, or of what stands before it
 * @param prefix of all objects
 * @param spill folder of temporary files
 */
record Deployment(
        String pgHost,
        int pgPort,
        String pgUser,
        String pgPassword,
        String pgDb,
        String s3Endpoint,
        String accessKey,
        String secretKey,
        String bucket,
        String prefix,
        String spill) {

    /** The schemas of the bed. */
    static final List<Integer> SCHEMAS = List.of(1, 2);

    private static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "things",
            List.of(
                    Attribute.bound("title", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("amount", 2, ValueType.BIGINT, "bigint_01"),
                    Attribute.eav("note", 3, ValueType.TEXT),
                    Attribute.eav("total", 4, ValueType.BIGINT),
                    new Attribute("tags", 5, ValueType.LIST, ValueType.TEXT, null, false)));

    static final SchemaRegistry REGISTRY =
            schemaId -> SCHEMAS.contains(schemaId) ? Optional.of(ATTRIBUTES) : Optional.empty();

    /** A new database with its tables, and a prefix of its own. */
    static Deployment create(LocalPostgres postgres, LocalS3 s3, Path spill) throws SQLException {
        return new Deployment(
                        postgres.host(),
                        postgres.port(),
                        postgres.user(),
                        postgres.password(),
                        postgres.database(),
                        s3.endpoint().toString(),
                        s3.accessKey(),
                        s3.secretKey(),
                        s3.bucket(),
                        "bed-" + UUID.randomUUID(),
                        spill.toString())
                .createTables();
    }

    /** Creates the tables, and what writers need. */
    Deployment createTables() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            LocalPostgres.createTables(connection);
            statement.execute(writerSql());
        }
        return this;
    }

    private static String writerSql() {
        try (InputStream sql = Deployment.class.getResourceAsStream("writer.sql")) {
            if (sql == null) {
                throw new IllegalStateException("writer.sql is not on the class path");
            }
            return new String(sql.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same, with the store behind another address. */
    Deployment behind(FaultyProxy proxy) {
        return new Deployment(
                pgHost,
                pgPort,
                pgUser,
                pgPassword,
                pgDb,
                proxy.endpoint().toString(),
                accessKey,
                secretKey,
                bucket,
                prefix,
                spill);
    }

    /** For another process. */
    Map<String, String> toEnvironment() {
        return Map.ofEntries(
                Map.entry("BED_PG_HOST", pgHost),
                Map.entry("BED_PG_PORT", String.valueOf(pgPort)),
                Map.entry("BED_PG_USER", pgUser),
                Map.entry("BED_PG_PASSWORD", pgPassword),
                Map.entry("BED_PG_DB", pgDb),
                Map.entry("BED_S3_ENDPOINT", s3Endpoint),
                Map.entry("BED_S3_ACCESS_KEY", accessKey),
                Map.entry("BED_S3_SECRET_KEY", secretKey),
                Map.entry("BED_S3_BUCKET", bucket),
                Map.entry("BED_PREFIX", prefix),
                Map.entry("BED_SPILL", spill));
    }

    static Deployment fromEnvironment() {
        return new Deployment(
                variable("PG_HOST"),
                Integer.parseInt(variable("PG_PORT")),
                variable("PG_USER"),
                variable("PG_PASSWORD"),
                variable("PG_DB"),
                variable("S3_ENDPOINT"),
                variable("S3_ACCESS_KEY"),
                variable("S3_SECRET_KEY"),
                variable("S3_BUCKET"),
                variable("PREFIX"),
                variable("SPILL"));
    }

    private static String variable(String name) {
        String value = System.getenv("BED_" + name);
        if (value == null) {
            throw new IllegalStateException("BED_" + name + " is not set");
        }
        return value;
    }

    CdcConfigBuilder config() {
        return CdcConfig.builder()
                .pgHost(pgHost)
                .pgPort(pgPort)
                .pgUser(pgUser)
                .pgPassword(pgPassword)
                .pgDb(pgDb)
                .pgSslMode("disable")
                .minRecords(1)
                .s3Bucket(bucket)
                .s3Prefix(prefix + "/data")
                .manifestPrefix(prefix)
                .s3Endpoint(s3Endpoint)
                .s3Region("us-east-1")
                .s3UsePath(true)
                .duckThreads(2)
                .duckMemLimit("256MB")
                .spillDirectory(spill);
    }

    /** What flushes the bed, with someone to tell. */
    static CdcRunner runner(CdcConfig config, S3FullClient client, CdcListener listener) {
        return CdcRunner.builder(config)
                .s3Client(client)
                .registry(REGISTRY)
                .listener(listener)
                .build();
    }

    S3Client client() {
        return S3Clients.create(config().build(), accessKey, secretKey);
    }

    Connection connect() throws SQLException {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setServerNames(new String[] {pgHost});
        dataSource.setPortNumbers(new int[] {pgPort});
        dataSource.setUser(pgUser);
        dataSource.setPassword(pgPassword);
        dataSource.setDatabaseName(pgDb);
        dataSource.setApplicationName("test-bed");
        return dataSource.getConnection();
    }

    /** What no message may tell. A password that is the name of the user is none. */
    List<String> secrets() {
        return pgPassword.isEmpty() || pgPassword.equals(pgUser) ? List.of(secretKey) : List.of(secretKey, pgPassword);
    }

    /** All but the secrets. */
    @Override
    public String toString() {
        return pgUser + "@" + pgHost + ":" + pgPort + "/" + pgDb + ", " + s3Endpoint + "/" + bucket + "/" + prefix;
    }
}
