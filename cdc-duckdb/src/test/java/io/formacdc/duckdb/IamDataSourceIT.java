package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.CdcException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A role whose password is the token stands for what AWS does with one. */
class IamDataSourceIT {
    private static final String TOKEN = "db.example:5432/?DBUser=app&Action=connect&X-Amz-Signature=";

    private final String role = "iam_" + UUID.randomUUID().toString().replace("-", "");
    private final TestHost host = new TestHost();
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(IamDataSource.class);

    IamDataSourceIT() throws SQLException {}

    @BeforeEach
    void listen() {
        logged.start();
        logger.addAppender(logged);
    }

    @AfterEach
    void close() throws SQLException {
        logger.detachAppender(logged);
        host.sql("DROP ROLE IF EXISTS " + role);
        host.close();
    }

    @Test
    void eachConnectionHasATokenOfItsOwn() throws SQLException {
        Deque<String> tokens = new ArrayDeque<>(List.of(TOKEN + "1", TOKEN + "2"));
        DataSource dataSource = dataSource(config().pgPassword("not this one"), tokens::pop);
        host.sql("CREATE ROLE " + role + " LOGIN PASSWORD '" + TOKEN + "1'");
        assertThat(roleOf(dataSource)).isEqualTo(role);
        host.sql("ALTER ROLE " + role + " PASSWORD '" + TOKEN + "2'");
        assertThat(roleOf(dataSource)).isEqualTo(role);
        assertThat(logged.list).isEmpty();
    }

    @Test
    void withoutATokenThePasswordIsTriedWithAWarning() throws SQLException {
        host.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'hunter2'");
        assertThat(roleOf(dataSource(config().pgPassword("hunter2"), IamDataSourceIT::noToken)))
                .isEqualTo(role);
        assertThat(logged.list).hasSize(1).allSatisfy(event -> {
            assertThat(event.getLevel()).hasToString("WARN");
            assertThat(event.getFormattedMessage()).isEqualTo("no credentials; trying pgPassword instead");
        });
    }

    @Test
    void withNeitherItSaysSo() {
        assertThatThrownBy(() -> roleOf(dataSource(config(), IamDataSourceIT::noToken)))
                .isInstanceOf(SQLException.class)
                .hasMessage("no credentials; and no pgPassword is set");
    }

    @Test
    void aTokenThatIsRefusedIsNotShown() throws SQLException {
        host.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'another'");
        assertThatThrownBy(() -> roleOf(dataSource(config(), () -> TOKEN + "3")))
                .isInstanceOf(SQLException.class)
                .hasMessageNotContaining("X-Amz");
        assertThat(logged.list).isEmpty();
    }

    @Test
    void theConfigurationDecides() {
        assertThat(PgDataSources.of(config().build())).isInstanceOf(IamDataSource.class);
        assertThat(PgDataSources.of(config().pgUseIam(false).build())).isNotInstanceOf(IamDataSource.class);
    }

    private CdcConfigBuilder config() {
        return host.config().pgUseIam(true).pgUser(role).pgPassword("");
    }

    private static DataSource dataSource(CdcConfigBuilder config, Supplier<String> tokens) {
        CdcConfig built = config.build();
        return PgDataSources.of(built, tokens, Map.of());
    }

    private static String noToken() {
        throw new CdcException("no credentials");
    }

    private static String roleOf(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return String.valueOf(
                    TestHost.column(connection, "SELECT current_user").get(0));
        }
    }
}
