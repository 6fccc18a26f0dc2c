package io.formacdc.examples.benchmarks;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Counts what the server was asked in the connection's database, by {@code pg_stat_statements}. */
final class ServerLog {
    private final Connection connection;
    private final long sessionsBefore;

    private ServerLog(Connection connection, long sessionsBefore) {
        this.connection = connection;
        this.sessionsBefore = sessionsBefore;
    }

    /**
     * @param statements sent by others than this connection; those of a transaction's frame included
     * @param sessions opened meanwhile
     */
    record Count(long statements, long sessions) {}

    static ServerLog begin(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
            statement.execute("SELECT pg_stat_statements_reset()");
        }
        return new ServerLog(connection, sessions(connection));
    }

    Count end() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result =
                        statement.executeQuery("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements"
                                + " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
                                + " AND query NOT LIKE '%pg_stat_%'")) {
            result.next();
            return new Count(result.getLong(1), sessions(connection) - sessionsBefore);
        }
    }

    private static long sessions(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "SELECT sessions FROM pg_stat_database WHERE datname = current_database()")) {
            result.next();
            return result.getLong(1);
        }
    }
}
