package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;

/** Each mistake is named, before anything is written, and no secret shows anywhere. */
final class BadInputIT {
    private static final String WRONG_SECRET = "wR0ng-s3cr3t";

    private final Logger rootLogger = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final List<String> secrets = new ArrayList<>(List.of(WRONG_SECRET));
    private TestHost host;
    private Entities entities;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        entities = new Entities(host, 7).insertMany(3);
        secrets.add(host.postgres.password());
        secrets.add(TestHost.s3().secretKey());
        log.start();
        rootLogger.addAppender(log);
        rootLogger.setLevel(Level.DEBUG);
        rootLogger.getAppender("stdout").stop();
    }

    @AfterEach
    void stop() throws SQLException {
        rootLogger.setLevel(Level.WARN);
        rootLogger.detachAppender(log);
        rootLogger.getAppender("stdout").start();
        host.close();
    }

    @Test
    void wrongPassword() throws SQLException {
        assertRefused(config -> config.pgPassword(WRONG_SECRET), "password authentication failed for user", "28P01");
    }

    @Test
    void unreachableHost() throws SQLException {
        assertRefused(config -> config.pgPort(closedPort()), "refused", "hostname and port", "08001");
    }

    @Test
    void missingDatabase() throws SQLException {
        assertRefused(config -> config.pgDb("no_such_db"), "database \"no_such_db\" does not exist");
    }

    @Test
    void serverWithoutTls() throws SQLException {
        assertRefused(config -> config.pgSslMode("require"), "The server does not support SSL");
    }

    @Test
    void missingBucket() throws SQLException {
        assertRefused(
                config -> config.s3Bucket("no-such-bucket"),
                "schema 7, load of the manifest",
                "s3://no-such-bucket/",
                "missing bucket");
    }

    @Test
    void missingBucketWithoutManifest() throws SQLException {
        assertRefused(
                config -> config.s3Bucket("no-such-bucket").manifestPrefix(""),
                "schema 7, upload of ",
                "missing bucket");
    }

    @Test
    void wrongS3Secret() throws SQLException {
        CdcConfig endpoint = endpoint(TestHost.s3());
        try (S3Client client = S3Clients.create(endpoint, TestHost.s3().accessKey(), WRONG_SECRET)) {
            assertRefused(
                    config -> config,
                    S3FullClient.of(client),
                    Entities.REGISTRY,
                    "schema 7, load of the manifest",
                    "access denied");
        }
    }

    @Test
    void unreachableStore() throws SQLException {
        CdcConfig endpoint = CdcConfig.builder()
                .s3Endpoint("http://127.0.0.1:" + closedPort())
                .s3UsePath(true)
                .build();
        try (S3Client client = S3Clients.create(endpoint, "key", WRONG_SECRET)) {
            assertRefused(
                    config -> config,
                    S3FullClient.of(client),
                    Entities.REGISTRY,
                    "schema 7, load of the manifest",
                    "Connection refused");
        }
    }

    @Test
    void unknownStore() throws SQLException {
        CdcConfig endpoint = CdcConfig.builder()
                .s3Endpoint("http://store.invalid")
                .s3UsePath(true)
                .build();
        try (S3Client client = S3Clients.create(endpoint, "key", WRONG_SECRET)) {
            assertRefused(
                    config -> config,
                    S3FullClient.of(client),
                    Entities.REGISTRY,
                    "schema 7, load of the manifest",
                    "failed without an answer: there is no host store.invalid; check s3Endpoint");
        }
    }

    @Test
    void unknownSchema() throws SQLException {
        assertRefused(
                config -> config,
                host.client,
                schemaId -> Optional.empty(),
                "the schema registry does not know schema 7",
                "register it");
    }

    @Test
    void attributeBoundToAMissingColumn() throws SQLException {
        SchemaAttributes attributes =
                new SchemaAttributes("things", List.of(Attribute.bound("title", 1, ValueType.TEXT, "text_99")));
        assertRefused(
                config -> config,
                host.client,
                TestHost.registry(7, attributes),
                "schema \"things\": attribute \"title\" is bound to column text_99, which table \"entity_main\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "manifests/one.json       | gives every schema the same path; it needs {{.SchemaID}}",
                "{{.TenantID}}/{{.SchemaID}}.json | may hold no action but {{.SchemaID}}",
                "../{{.SchemaID}}.json    | may not start with a slash or hold",
                "/{{.SchemaID}}.json      | may not start with a slash or hold"
            })
    void badTemplate(String template, String what) throws SQLException {
        assertRefused(config -> config.manifestTemplate(template), "manifestTemplate \"" + template + "\"", what);
    }

    @Test
    void badFieldsAreAllNamedAtOnce() throws SQLException {
        assertRefused(
                config -> config.parquetCompression("zip")
                        .duckMemLimit("lots")
                        .duckThreads(1_000_000)
                        .pgSslMode("maybe")
                        .pgPort(70_000)
                        .s3Bucket(""),
                "parquetCompression \"zip\" is none of zstd, snappy",
                "duckMemLimit \"lots\" is no amount of memory such as 512MB",
                "duckThreads 1000000 is above 1024",
                "pgSslMode \"maybe\" is none of disable, allow",
                "pgPort 70000 is no TCP port",
                "s3Bucket is not set");
    }

    @ParameterizedTest
    @CsvSource({
        "no_such_log, entity_main, eav_data, no_such_log",
        "change_log, no_such_main, eav_data, no_such_main",
        "change_log, entity_main, no_such_eav, no_such_eav",
        "change_log, entity_main, change_log, 'change_log\" lacks array_indices, attr_id, value_numeric, value_text'"
    })
    void missingTable(String changeLog, String entityMain, String eavData, String what) throws SQLException {
        assertRefused(
                config -> config.changeLogTable(changeLog)
                        .entityMainTable(entityMain)
                        .eavDataTable(eavData),
                what);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "entity_main ALTER ltbase_created_at TYPE timestamptz USING now() | ltbase_created_at of table"
                        + " \"entity_main\" is of type timestamp with time zone; it must be bigint",
                "eav_data ALTER attr_id TYPE integer | attr_id of table \"eav_data\" is of type integer; it must be"
                        + " smallint",
                "change_log ALTER row_id TYPE varchar(40) | row_id of table \"change_log\" is of type"
                        + " character varying(40); it must be uuid",
                "change_log ALTER changed_at TYPE integer USING 1 | changed_at of table \"change_log\" is of type"
                        + " integer; it must be bigint"
            })
    void aColumnOfATypeThatMeansSomethingElse(String change, String what) throws SQLException {
        host.sql("ALTER TABLE " + change);
        assertRefused(config -> config, "schema 7", "column " + what);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"schema_id\": 7,                                | JSON",
                "{\"schema_id\": 8, \"version\": 3, \"base\": [], \"delta\": []} | 8",
                "[]                                                | JSON",
                "{\"hello\": \"world\"}                            | is no manifest",
                "{\"schema_id\": 7, \"delta\": [{\"path\": \"s3://elsewhere/7/x.parquet\"}]} | is not in the bucket"
            })
    void unusableManifest(String content, String what) throws SQLException {
        store().putIfAbsent(
                        host.config().build().manifestPrefix() + "/manifest/7.json",
                        content.getBytes(StandardCharsets.UTF_8));
        assertRefused(config -> config, "schema 7, load of the manifest", "manifest/7.json", what);
    }

    @Test
    void schemaIdsOutOfRangeFailAloneAndOthersAreFlushed() throws SQLException {
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (0, gen_random_uuid(), 1),"
                + " (-5, gen_random_uuid(), 1)");

        Throwable thrown = catchThrowable(() -> host.flush(Entities.REGISTRY));

        assertThat(thrown)
                .isInstanceOf(SchemaFlushException.class)
                .hasMessageContaining("schema id must be 1 to 32767, not 0")
                .hasMessageContaining("schema id must be 1 to 32767, not -5");
        FlushReport report = ((SchemaFlushException) thrown).report();
        assertThat(report.schemas())
                .extracting(SchemaFlush::outcome)
                .containsExactly(Outcome.FAILED, Outcome.FAILED, Outcome.FLUSHED);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0 AND schema_id <= 0"))
                .isEqualTo(2);
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    @Test
    void clientThatCannotGetOrPut() throws SQLException {
        S3ObjectClient copiesAndDeletes = new S3ObjectClient() {
            @Override
            public CopyObjectResponse copyObject(CopyObjectRequest request) {
                return host.client.copyObject(request);
            }

            @Override
            public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
                return host.client.deleteObject(request);
            }
        };
        assertRefused(
                config -> config, copiesAndDeletes, Entities.REGISTRY, "implement S3FullClient", "S3FullClient.of");
    }

    @Test
    void storeThatLosesUpdatesIsRefusedAndNothingListedOrMarked() throws SQLException {
        try (LocalS3 lossy = LocalS3.startLossy();
                S3Client client = S3Clients.create(endpoint(lossy), lossy.accessKey(), lossy.secretKey())) {
            CdcConfig config = host.config().s3Bucket(lossy.bucket()).build();
            Throwable thrown =
                    catchThrowable(() -> Cdc.runOnce(config, S3FullClient.of(client), false, Entities.REGISTRY));

            assertThat(thrown)
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("does not honour conditional writes")
                    .hasMessageContaining("singleWriterStore(true)");
            assertNoSecret(thrown);
            assertThat(entities.dirty()).hasSize(3);
            try (java.util.stream.Stream<ObjectInfo> objects =
                    new S3ObjectStore(S3FullClient.of(client), lossy.bucket()).list("")) {
                assertThat(objects).extracting(ObjectInfo::key).isEmpty();
            }
        }
    }

    @Test
    void nothingThatPrintsItselfShowsASecret() {
        CdcConfig config = host.config().build();
        try (CdcRunner runner = CdcRunner.create(config, host.client, Entities.REGISTRY)) {
            assertNoSecretIn(config.toString());
            assertNoSecretIn(runner.runOnce(false).toString());
            assertNoSecretIn(host.client.toString());
        }
    }

    private void assertRefused(UnaryOperator<CdcConfigBuilder> mistake, String... parts) throws SQLException {
        assertRefused(mistake, host.client, Entities.REGISTRY, parts);
    }

    private void assertRefused(
            UnaryOperator<CdcConfigBuilder> mistake, S3ObjectClient client, SchemaRegistry registry, String... parts)
            throws SQLException {
        List<ObjectInfo> objects = host.objects();
        String tables = host.tables();
        CdcConfig config = mistake.apply(host.config()).build();

        Throwable thrown = catchThrowable(() -> Cdc.runOnce(config, client, false, registry));

        assertThat(thrown).isInstanceOf(io.formacdc.core.CdcException.class);
        assertThat(thrown.getMessage()).contains(parts);
        assertNoSecret(thrown);
        assertThat(host.objects()).isEqualTo(objects);
        assertThat(host.tables()).isEqualTo(tables);
    }

    private void assertNoSecret(Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        assertNoSecretIn(text.toString());
        for (ILoggingEvent event : List.copyOf(log.list)) {
            assertNoSecretIn(event.getFormattedMessage());
            assertNoSecretIn(ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
    }

    private void assertNoSecretIn(String text) {
        for (String secret : secrets) {
            assertThat(text).doesNotContain(secret);
        }
    }

    private ObjectStore store() {
        return new S3ObjectStore(host.client, TestHost.s3().bucket());
    }

    private static CdcConfig endpoint(LocalS3 server) {
        return CdcConfig.builder()
                .s3Endpoint(server.endpoint().toString())
                .s3UsePath(true)
                .build();
    }

    private static int closedPort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
