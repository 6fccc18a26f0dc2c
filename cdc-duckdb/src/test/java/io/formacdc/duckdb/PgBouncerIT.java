package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.SchemaFlushException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real PgBouncer between the library and PostgreSQL, where there is one. */
class PgBouncerIT {
    /** Path of the program. */
    private static final String PROGRAM = "CDC_TEST_PGBOUNCER";

    private static final int SCHEMA = 7;

    @TempDir
    Path folder;

    private final TestHost host = new TestHost();
    private final Entities entities = new Entities(host, SCHEMA);
    private @Nullable Process bouncer;

    PgBouncerIT() throws SQLException {}

    @BeforeEach
    void haveOne() {
        assumeTrue(System.getenv(PROGRAM) != null, PROGRAM + " names no PgBouncer to try");
    }

    @AfterEach
    void close() throws SQLException {
        if (bouncer != null) {
            bouncer.destroy();
        }
        host.close();
    }

    @Test
    void sessionModeServes() throws SQLException, IOException {
        entities.insertMany(1_000);
        CdcConfig config = through("session");
        assertThat(Cdc.runOnce(config, host.client, false, Entities.REGISTRY).rows())
                .isEqualTo(1_000);
        entities.updateAll(host.connection);
        assertThat(Cdc.runOnce(config, host.client, false, Entities.REGISTRY).rows())
                .isEqualTo(1_000);
        assertThat(locks()).isEqualTo("0");
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    @Test
    void transactionModeIsRefusedAndLeavesNoLock() throws SQLException, IOException {
        entities.insertMany(1_000);
        CdcConfig config = through("transaction");
        assertThatThrownBy(() -> Cdc.runOnce(config, host.client, false, Entities.REGISTRY))
                .isInstanceOf(SchemaFlushException.class)
                .hasMessageContaining("pooler");
        assertThat(locks()).isEqualTo("0");
        assertThat(entities.dirty()).hasSize(1_000);
    }

    private String locks() throws SQLException {
        return TestHost.column(host.connection, """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""").get(0);
    }

    /** The configuration of the host, by way of a PgBouncer. */
    private CdcConfig through(String poolMode) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        // PgBouncer does not run as root, and the user that it becomes must read this.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path settings = Files.writeString(folder.resolve("pgbouncer.ini"), """
                [databases]
                * = host=%s port=%d user=%s password=%s
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = any
                pool_mode = %s
                ignore_startup_parameters = extra_float_digits
                """.formatted(
                        host.postgres.host(),
                        host.postgres.port(),
                        host.postgres.user(),
                        host.postgres.password(),
                        port,
                        poolMode));
        List<String> command = new ArrayList<>(List.of(System.getenv(PROGRAM)));
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("-u", "nobody"));
        }
        command.add(settings.toString());
        Path log = folder.resolve("pgbouncer.log");
        bouncer = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        CdcConfig config = host.config()
                .pgHost("127.0.0.1")
                .pgPort(port)
                .pgSslMode("disable")
                .build();
        Awaitility.await().ignoreExceptions().untilAsserted(() -> {
            try (Connection connection = PgDataSources.of(config).getConnection()) {
                assertThat(connection.isValid(1)).as(Files.readString(log)).isTrue();
            }
        });
        return config;
    }
}
