package io.formacdc.examples.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class LocalPostgresIT {
    @Test
    void refusesAWrongPassword() {
        LocalPostgres server = LocalPostgres.shared();
        assertThatThrownBy(() -> DriverManager.getConnection(server.jdbcUrl(), server.user(), "wrong"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
    }

    @Test
    void aDatabaseOfItsOwnHasNothingOfItsSibling() throws SQLException {
        try (LocalPostgres one = LocalPostgres.shared().createDatabase();
                LocalPostgres other = LocalPostgres.shared().createDatabase();
                Connection toOne = one.dataSource().getConnection();
                Connection toOther = other.dataSource().getConnection()) {
            LocalPostgres.createTables(toOne);
            assertThat(query(toOne, "SELECT to_regclass('change_log') IS NOT NULL"))
                    .isEqualTo("t");
            assertThat(query(toOther, "SELECT to_regclass('change_log') IS NOT NULL"))
                    .isEqualTo("f");
        }
    }

    @Test
    void closingADatabaseDropsItWithItsSessionsAndMayBeRepeated() throws SQLException {
        LocalPostgres database = LocalPostgres.shared().createDatabase();
        try (Connection session = database.dataSource().getConnection()) {
            assertThat(session.isValid(5)).isTrue();
            database.close();
            database.close();
            assertThat(session.isValid(5)).isFalse();
            assertThatThrownBy(() -> database.dataSource().getConnection()).hasMessageContaining(database.database());
        }
    }

    @Test
    void showsNoPassword() {
        LocalPostgres server = LocalPostgres.shared();
        assertThat(server.toString()).contains(server.jdbcUrl()).doesNotContain(server.password());
    }

    private static String query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
