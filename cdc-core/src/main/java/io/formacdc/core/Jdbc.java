package io.formacdc.core;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Statements with their resources closed. */
final class Jdbc {
    private Jdbc() {}

    @FunctionalInterface
    interface Binder {
        void bind(PreparedStatement statement) throws SQLException;
    }

    @FunctionalInterface
    interface RowReader<T> {
        T read(ResultSet row) throws SQLException;
    }

    /** Gives a connection back the autocommit it came with. */
    @FunctionalInterface
    interface AutoCommit extends AutoCloseable {
        @Override
        void close() throws SQLException;
    }

    /** Has a connection commit each statement, until that is closed. */
    static AutoCommit autoCommit(Connection connection) throws SQLException {
        boolean before = connection.getAutoCommit();
        connection.setAutoCommit(true);
        return () -> connection.setAutoCommit(before);
    }

    static <T> List<T> query(Connection connection, String sql, Binder binder, RowReader<T> reader)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            binder.bind(statement);
            try (ResultSet rows = statement.executeQuery()) {
                List<T> all = new ArrayList<>();
                while (rows.next()) {
                    all.add(reader.read(rows));
                }
                return all;
            }
        }
    }

    /** The only row of a query that always has one. */
    static <T> T queryOne(Connection connection, String sql, Binder binder, RowReader<T> reader) throws SQLException {
        return query(connection, sql, binder, reader).get(0);
    }

    static long update(Connection connection, String sql, Binder binder) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            binder.bind(statement);
            return statement.executeLargeUpdate();
        }
    }
}
