package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportOptions.ExistingDeltas;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.Progress;
import io.formacdc.core.SchemaFlushException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that brings the connections of its own pool. */
class HostPoolIT {
    private static final int SCHEMA = 7;
    private static final String SETTINGS = "SELECT name || '=' || setting FROM pg_settings WHERE source = 'session'";

    private final TestHost host = new TestHost();
    private final Entities entities = new Entities(host, SCHEMA);

    HostPoolIT() throws SQLException {}

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPoolOfThreeIsEnoughForEverythingAndComesBackClean(boolean autoCommit) throws SQLException {
        entities.insertMany(20_000);
        try (HikariDataSource pool = pool(3, autoCommit);
                CdcRunner runner = runner(pool, CdcListener.NONE)) {
            assertThat(runner.runOnce(false).rows()).isEqualTo(20_000);
            assertClean(pool, autoCommit);
            assertThat(runner.runOnce(true).schemas()).isEmpty();
            BaseExportOptions twoAtOnce = new BaseExportOptions(ExistingDeltas.REPLACE, 2);
            assertThat(runner.exportBase(SCHEMA, twoAtOnce).rows()).isEqualTo(20_000);
            assertClean(pool, autoCommit);
            assertThat(runner.reconciler()
                            .check(SCHEMA, ReconcileReport.Depth.LISTING)
                            .isClean())
                    .isTrue();
            runner.purgeFlushed(SCHEMA, Duration.ofMillis(1));
            assertClean(pool, autoCommit);
        }
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    @Test
    void whatAnInterruptCutsIsNotGivenBackAsGood() throws SQLException {
        entities.insertMany(20_000);
        Thread caller = Thread.currentThread();
        CdcListener interrupting = new CdcListener() {
            @Override
            public void progressed(Progress progress) {
                caller.interrupt();
            }
        };
        try (HikariDataSource pool = pool(3, true)) {
            try (CdcRunner runner = runner(pool, interrupting)) {
                assertThatThrownBy(() -> runner.runOnce(false)).isInstanceOf(CdcInterruptedException.class);
                assertThat(Thread.interrupted()).isTrue();
            }
            assertClean(pool, true);
            try (CdcRunner runner = runner(pool, CdcListener.NONE)) {
                assertThat(runner.runOnce(false).rows()).isPositive();
            }
        }
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    @Test
    void sessionsThatTheServerEndsAreReplaced() throws SQLException {
        entities.insertMany(20_000);
        CdcListener ending = new CdcListener() {
            @Override
            public void progressed(Progress progress) {
                end();
            }

            private void end() {
                try {
                    host.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND application_name = 'host'");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
        try (HikariDataSource pool = pool(5, true)) {
            try (CdcRunner runner = runner(pool, ending)) {
                assertThatThrownBy(() -> runner.runOnce(false)).isInstanceOf(SchemaFlushException.class);
            }
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
            // HikariCP hands out a connection unasked that was in use just now: a pass may still meet one that was
            // ended.
            try (CdcRunner runner = runner(pool, CdcListener.NONE)) {
                Awaitility.await()
                        .ignoreExceptionsInstanceOf(CdcException.class)
                        .until(() -> runner.runOnce(false).rows() > 0);
            }
            assertClean(pool, true);
        }
        entities.assertLakeEqualsPostgres(host.config().build());
    }

    @Test
    void aPoolThatIsTooSmallFailsThePassAndSaysWhy() throws SQLException {
        entities.insertMany(10);
        try (HikariDataSource pool = pool(1, true);
                CdcRunner runner = runner(pool, CdcListener.NONE)) {
            pool.setConnectionTimeout(500);
            assertThatThrownBy(() -> runner.runOnce(false))
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("gave no connection, after 1 that are in use; as many as 3 may be wanted");
            assertClean(pool, true);
        }
    }

    @Test
    void onlyTheFirstPassOfARunnerLooksForAPooler() throws SQLException {
        AtomicInteger lookups = new AtomicInteger();
        try (HikariDataSource pool = new HikariDataSource(hikari(3, true)) {
            @Override
            public Connection getConnection() throws SQLException {
                Connection connection = super.getConnection();
                lookups.incrementAndGet();
                return connection;
            }
        }) {
            List<Integer> ofEachPass = new ArrayList<>();
            try (CdcRunner runner = runner(pool, CdcListener.NONE)) {
                for (int pass = 0; pass < 3; pass++) {
                    host.sql("TRUNCATE change_log, entity_main, eav_data");
                    entities.insertMany(10);
                    lookups.set(0);
                    assertThat(runner.runOnce(false).rows()).isEqualTo(10);
                    ofEachPass.add(lookups.get());
                }
            }
            int first = ofEachPass.get(0);
            assertThat(ofEachPass).containsExactly(first, first - 1, first - 1);
        }
    }

    @Test
    void fewerThanThreeAreRefused() {
        assertThatThrownBy(() -> CdcRunner.builder(config()).maxConnections(2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxConnections 2 is below 3");
    }

    @Test
    void withoutADataSourceTheHostIsRequired() {
        assertThatThrownBy(
                        () -> CdcRunner.builder(config()).s3Client(host.client).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("pgHost is not set");
    }

    private CdcConfig config() {
        return host.config()
                .pgHost("")
                .pgUser("")
                .pgPassword("")
                .pgDb("")
                .duckThreads(4)
                .build();
    }

    private CdcRunner runner(HikariDataSource pool, CdcListener listener) {
        return CdcRunner.builder(config())
                .s3Client(host.client)
                .registry(Entities.REGISTRY)
                .listener(listener)
                .dataSource(pool)
                .maxConnections(Math.max(pool.getMaximumPoolSize(), CdcRunner.MIN_CONNECTIONS))
                .build();
    }

    private HikariDataSource pool(int size, boolean autoCommit) {
        return new HikariDataSource(hikari(size, autoCommit));
    }

    private HikariConfig hikari(int size, boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(host.postgres.jdbcUrl() + "?ApplicationName=host");
        config.setUsername(host.postgres.user());
        config.setPassword(host.postgres.password());
        config.setMaximumPoolSize(size);
        config.setAutoCommit(autoCommit);
        config.setConnectionTimeout(5_000);
        return config;
    }

    /** Takes every connection of the pool at once. */
    private void assertClean(HikariDataSource pool, boolean autoCommit) throws SQLException {
        Awaitility.await()
                .untilAsserted(() -> assertThat(pool.getHikariPoolMXBean().getActiveConnections())
                        .isZero());
        List<Connection> all = new ArrayList<>();
        try (Connection fresh =
                java.sql.DriverManager.getConnection(pool.getJdbcUrl(), pool.getUsername(), pool.getPassword())) {
            for (int i = 0; i < pool.getMaximumPoolSize(); i++) {
                Connection connection = pool.getConnection();
                all.add(connection);
                assertThat(connection.getAutoCommit()).isEqualTo(autoCommit);
                assertThat(connection.isReadOnly()).isFalse();
                assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_READ_COMMITTED);
                assertThat(TestHost.column(connection, SETTINGS))
                        .containsExactlyInAnyOrderElementsOf(TestHost.column(fresh, SETTINGS));
                assertThat(TestHost.column(connection, "SHOW transaction_isolation"))
                        .containsExactly("read committed");
            }
        } finally {
            for (Connection connection : all) {
                connection.close();
            }
        }
        assertThat(TestHost.column(host.connection, """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""")).containsExactly("0");
        assertThat(TestHost.column(host.connection, """
                SELECT state FROM pg_stat_activity WHERE application_name = 'host'
                AND datname = current_database() AND state <> 'idle'""")).isEmpty();
    }
}
