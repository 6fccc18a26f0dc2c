package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.formacdc.core.CdcConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

class PgDataSourcesTest {
    private static PGSimpleDataSource of(String connectionString) {
        return (PGSimpleDataSource) PgDataSources.of(connectionString);
    }

    private static void assertIsFull(PGSimpleDataSource dataSource, String password) {
        assertThat(dataSource.getServerNames()).containsExactly("db_1.example");
        assertThat(dataSource.getPortNumbers()).containsExactly(6432);
        assertThat(dataSource.getUser()).isEqualTo("ann");
        assertThat(dataSource.getPassword()).isEqualTo(password);
        assertThat(dataSource.getDatabaseName()).isEqualTo("my db");
        assertThat(dataSource.getSslMode()).isEqualTo("disable");
        assertThat(dataSource.getApplicationName()).isEqualTo("forma-cdc");
    }

    @Test
    void readsKeysAndValuesAsLibpqDoes() {
        assertIsFull(
                of("host=db_1.example  port = 6432 user=ann password='it\\'s = a \\\\ secret' dbname='my db'"
                        + " sslmode=disable"),
                "it's = a \\ secret");
        assertThat(of("password=a\\ b\\'c user=u").getPassword()).isEqualTo("a b'c");
        assertThat(of("password='' user=u").getPassword()).isEmpty();
    }

    @Test
    void readsUrisWithPercentEncoding() {
        assertIsFull(
                of("postgresql://ann:p%40ss%3Aw%2F%20%25+@db_1.example:6432/my%20db?sslmode=disable"), "p@ss:w/ %+");
        assertIsFull(of("postgres://ann@db_1.example:6432/my%20db?password=x%26y&sslmode=disable"), "x&y");
        assertThat(of("postgresql://u@[::1]:5433/d").getServerNames()).containsExactly("[::1]");
    }

    @Test
    void aHostThatCannotBeReachedIsNamedWithTheReason() throws Exception {
        assertThatThrownBy(of("host=no-such-host.invalid user=u password=secret")::getConnection)
                .isInstanceOf(SQLException.class)
                .hasMessage("no connection to no-such-host.invalid:5432, the host is unknown");
        try (ServerSocket hangsUp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> peer = CompletableFuture.runAsync(() -> {
                try {
                    hangsUp.accept().close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            int port = hangsUp.getLocalPort();
            assertThatThrownBy(of("host=127.0.0.1 port=" + port + " user=u sslmode=disable")::getConnection)
                    .isInstanceOf(SQLException.class)
                    .hasMessage("no connection to 127.0.0.1:" + port + ", it was closed at once");
            peer.join();
        }
    }

    @Test
    void whatIsNotGivenIsAsInLibpq() {
        for (PGSimpleDataSource dataSource : new PGSimpleDataSource[] {of("user=u"), of("postgresql://u@")}) {
            assertThat(dataSource.getServerNames()).containsExactly("localhost");
            assertThat(dataSource.getPortNumbers()).containsExactly(5432);
            assertThat(dataSource.getDatabaseName()).isEqualTo("u");
            assertThat(dataSource.getSslMode()).isEqualTo("prefer");
        }
    }

    @Test
    void passesOnWhatDecidesWhereAndWhatIsRead() {
        PGSimpleDataSource dataSource =
                of("user=u options='-c search_path=tenant_7' sslrootcert=/etc/ca.pem connect_timeout=3");
        assertThat(dataSource.getOptions()).isEqualTo("-c search_path=tenant_7");
        assertThat(dataSource.getSslRootCert()).isEqualTo("/etc/ca.pem");
        assertThat(dataSource.getConnectTimeout()).isEqualTo(3);
    }

    @Test
    void readsJdbcUrls() {
        assertIsFull(
                of("jdbc:postgresql://db_1.example:6432/my%20db?user=ann&password=p%40ss&sslmode=disable"), "p@ss");
    }

    @Test
    void takesTheConfigurationAsItIs() {
        PGSimpleDataSource dataSource = (PGSimpleDataSource) PgDataSources.of(CdcConfig.builder()
                .pgHost("db_1.example")
                .pgPort(6432)
                .pgUser("ann")
                .pgPassword("p@ss:w/ %+'")
                .pgDb("my db")
                .pgSslMode("disable")
                .build());
        assertIsFull(dataSource, "p@ss:w/ %+'");
    }

    private static PGSimpleDataSource of(String sslMode, String rootCert, Map<String, String> environment) {
        CdcConfig config = CdcConfig.builder()
                .pgHost("h")
                .pgPort(5432)
                .pgSslMode(sslMode)
                .pgSslRootCert(rootCert)
                .build();
        return (PGSimpleDataSource) PgDataSources.of(config, () -> "", environment);
    }

    @Test
    void authoritiesAreThoseOfTheConfigurationOrElseOfTheEnvironment() {
        Map<String, String> environment = Map.of("PGSSLROOTCERT", "/env/ca.pem");
        assertThat(of("verify-full", "/ca.pem", environment).getSslRootCert()).isEqualTo("/ca.pem");
        assertThat(of("verify-full", "", environment).getSslRootCert()).isEqualTo("/env/ca.pem");
        assertThat(of("verify-full", "", Map.of()).getSslRootCert()).isNull();
    }

    @Test
    void authoritiesOfTheSystemAreThoseOfTheJvm() {
        PGSimpleDataSource dataSource = of("verify-full", "system", Map.of());
        assertThat(dataSource.getSslfactory()).isEqualTo("org.postgresql.ssl.DefaultJavaSSLFactory");
        assertThat(dataSource.getSslRootCert()).isNull();
    }

    @Test
    void whatDuckDbConnectsWithHasTheTokenAndTheAuthoritiesToo() {
        CdcConfig config = CdcConfig.builder()
                .pgHost("h")
                .pgPort(5432)
                .pgUseIam(true)
                .pgPassword("unused")
                .pgSslMode("verify-full")
                .pgSslRootCert("system")
                .build();
        PgDsn dsn = PgDsn.of(PgDataSources.of(config, () -> "token?a=b", Map.of()));
        assertThat(dsn.password()).isEqualTo("token?a=b");
        assertThat(dsn.text())
                .contains("password='token?a=b'", "sslmode='verify-full'", "sslrootcert='system'")
                .doesNotContain("unused");
        assertThat(PgDsn.of(of("verify-ca", "/ca.pem", Map.of())).text()).contains("sslrootcert='/ca.pem'");
    }

    @Test
    void requireVerifiesWhereAuthoritiesAreNamed() {
        assertThat(of("require", "", Map.of()).getSslMode()).isEqualTo("require");
        assertThat(of("require", "/ca.pem", Map.of()).getSslMode()).isEqualTo("verify-ca");
        assertThat(of("prefer", "/ca.pem", Map.of()).getSslMode()).isEqualTo("prefer");
    }

    @ParameterizedTest
    @CsvSource({"::1, 5432, ::1", "[::1], 5433, [::1]", "2001:db8::5, 5433, 2001:db8::5"})
    void ipv6AddressesKeepTheirPortApart(String host, int port, String readBack) {
        PGSimpleDataSource dataSource = (PGSimpleDataSource) PgDataSources.of(
                CdcConfig.builder().pgHost(host).pgPort(port).pgDb("d").build());
        PGSimpleDataSource driversView = new PGSimpleDataSource();
        driversView.setURL(dataSource.getURL());
        assertThat(driversView.getServerNames()).containsExactly(readBack);
        assertThat(driversView.getPortNumbers()).containsExactly(port);
        assertThat(driversView.getDatabaseName()).isEqualTo("d");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host=h password='hunter2",
                "host=h password=hun ter2 hunter2",
                "host=h password=a hunter2=b",
                "host=h port=hunter2",
                "hunter2",
                "postgresql://u:hunter2@x@h/d",
                "postgresql://u:x:hunter2@h/d",
                "postgresql://u:hunter2@h:port/d",
                "postgresql://u:a/hunter2@h/d",
                "postgresql://u:hunter2%zz@h/d",
                "postgresql://u:x@h/d?hunter2=1",
                "jdbc:postgresql://h:port/d?user=u&password=hunter2",
                "jdbc:mysql://h/d?user=u&password=hunter2",
                "jdbc:postgresql://h/d?user=u&password=hunter2%zz"
            })
    void whatCannotBeReadIsRefusedWithoutRepeatingIt(String connectionString) {
        IllegalArgumentException error =
                catchThrowableOfType(IllegalArgumentException.class, () -> PgDataSources.of(connectionString));
        StringWriter printed = new StringWriter();
        error.printStackTrace(new PrintWriter(printed));
        assertThat(printed.toString()).contains("connection string").doesNotContain("hunter2");
    }

    @Test
    void namesTheKnownOptions() {
        assertThatThrownBy(() -> of("user=u searchpath=x"))
                .hasMessage("the connection string has an option that is not known; known are host, port, user,"
                        + " password, dbname, sslmode, application_name, connect_timeout, options, sslcert, sslkey,"
                        + " sslrootcert");
    }
}
