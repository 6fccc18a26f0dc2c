package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.FlushReport;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.examples.localstack.LocalPostgres;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each of libpq's modes against a server with, without and with nothing but TLS. */
class SslModeIT {
    private static final String PASSWORD = "hunter2";
    private static final List<String> MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

    @TempDir
    static Path folder;

    private static TestCertificates certificates;
    private static LocalPostgres server;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(
                System.getenv(LocalPostgres.URL_VARIABLE) == null,
                "the settings of a server that " + LocalPostgres.URL_VARIABLE + " names are not changed");
        certificates = TestCertificates.create(folder);
        server = LocalPostgres.start(Map.of(
                "ssl_cert_file", certificates.server().toString(),
                "ssl_key_file", certificates.serverKey().toString()));
        admin("CREATE ROLE app LOGIN SUPERUSER PASSWORD '" + PASSWORD + "'");
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void onAServerThatCanDoBoth() throws Exception {
        serve("host", true);
        assertThat(outcomes(config -> trusting(config, certificates.authority())))
                .containsExactlyEntriesOf(
                        inOrder("plain", "plain", "encrypted", "encrypted", "encrypted", "encrypted"));
        assertThat(outcomes(config -> trusting(config, certificates.otherAuthority())))
                .containsExactlyEntriesOf(inOrder("plain", "plain", "encrypted", "refused", "refused", "refused"));
        assertThat(outcomes(config -> trusting(config, certificates.authority()).pgHost("127.0.0.1")))
                .containsExactlyEntriesOf(inOrder("plain", "plain", "encrypted", "encrypted", "encrypted", "refused"));
        assertThat(outcome(config().pgSslMode("require"))).isEqualTo("encrypted");
    }

    @Test
    void onAServerThatWantsTls() throws Exception {
        serve("hostssl", true);
        assertThat(outcomes(config -> trusting(config, certificates.authority())))
                .containsExactlyEntriesOf(
                        inOrder("refused", "encrypted", "encrypted", "encrypted", "encrypted", "encrypted"));
    }

    @Test
    void onAServerWithoutTls() throws Exception {
        serve("host", false);
        assertThat(outcomes(config -> trusting(config, certificates.authority())))
                .containsExactlyEntriesOf(inOrder("plain", "plain", "plain", "refused", "refused", "refused"));
        assertRefused(
                config().pgSslMode("require"),
                "does not support SSL",
                "pgSslMode require needs it; prefer and disable do without");
    }

    @Test
    void aPassIsEncryptedFromEndToEnd() throws Exception {
        serve("hostssl", true);
        try (TestHost host = new TestHost(server)) {
            new Entities(host, 7).insertMany(10);
            CdcConfig verified = trusting(host.config(), certificates.authority())
                    .pgUser("app")
                    .pgPassword(PASSWORD)
                    .pgSslMode("verify-full")
                    .build();
            FlushReport report = Cdc.runOnce(verified, host.client, false, Entities.REGISTRY);
            assertThat(report.rows()).isEqualTo(10);
        }
    }

    @Test
    void whoIsRefusedLearnsWhy() throws Exception {
        serve("hostssl", true);
        assertRefused(trusting(config(), certificates.otherAuthority()).pgSslMode("verify-ca"), "certification path");
        assertRefused(
                trusting(config(), certificates.authority())
                        .pgSslMode("verify-full")
                        .pgHost("127.0.0.1"),
                "127.0.0.1",
                "could not be verified");
        assertRefused(
                trusting(config(), folder.resolve("nowhere.crt")).pgSslMode("verify-full"),
                "Could not open SSL root certificate file",
                "nowhere.crt");
        assertRefused(config().pgSslRootCert("system").pgSslMode("verify-full"), "certification path");
        assertRefused(config().pgSslMode("disable"), "no encryption");
    }

    private static void assertRefused(CdcConfigBuilder config, String... reasons) {
        assertThatThrownBy(() -> Cdc.runOnce(config.build(), TestHost.sharedClient(), false, null))
                .isInstanceOf(DatabaseException.class)
                .isNotInstanceOf(SchemaFlushException.class)
                .hasMessageContainingAll(reasons);
        assertThat(outcome(config)).isEqualTo("refused");
    }

    private static CdcConfigBuilder config() {
        return CdcConfig.builder()
                .pgHost("localhost")
                .pgPort(server.port())
                .pgUser("app")
                .pgPassword(PASSWORD)
                .pgDb(server.database())
                .s3Bucket("bucket");
    }

    private static CdcConfigBuilder trusting(CdcConfigBuilder config, Path authority) {
        return config.pgSslRootCert(authority.toString());
    }

    private static Map<String, String> inOrder(String... outcomes) {
        Map<String, String> byMode = new LinkedHashMap<>();
        for (String mode : MODES) {
            byMode.put(mode, outcomes[byMode.size()]);
        }
        return byMode;
    }

    private static Map<String, String> outcomes(UnaryOperator<CdcConfigBuilder> change) {
        Map<String, String> byMode = new LinkedHashMap<>();
        MODES.forEach(mode -> byMode.put(mode, outcome(change.apply(config()).pgSslMode(mode))));
        return byMode;
    }

    /** By what the server says of the very session. */
    private static String outcome(CdcConfigBuilder config) {
        try (Connection connection = PgDataSources.of(config.build()).getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) {
            result.next();
            return result.getBoolean(1) ? "encrypted" : "plain";
        } catch (SQLException e) {
            StringWriter printed = new StringWriter();
            e.printStackTrace(new PrintWriter(printed));
            assertThat(printed.toString()).doesNotContain(PASSWORD);
            return "refused";
        }
    }

    /** @param kind of connection that the role app may make, in the words of pg_hba.conf */
    private static void serve(String kind, boolean tls) throws SQLException, java.io.IOException {
        String rules;
        try (Connection connection = server.dataSource().getConnection()) {
            rules = TestHost.column(connection, "SHOW hba_file").get(0);
        }
        Files.writeString(
                Path.of(rules),
                "host all " + server.user() + " all scram-sha-256\n" + kind + " all app all scram-sha-256\n");
        admin("ALTER SYSTEM SET ssl = " + (tls ? "on" : "off"));
        String before = admin("SELECT clock_timestamp()");
        admin("SELECT pg_reload_conf()");
        Awaitility.await()
                .until(() ->
                        admin("SELECT pg_conf_load_time() > '" + before + "'").equals("t"));
    }

    private static String admin(String sql) throws SQLException {
        try (Connection connection = server.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return "";
            }
            try (ResultSet result = statement.getResultSet()) {
                result.next();
                return String.valueOf(result.getString(1));
            }
        }
    }
}
