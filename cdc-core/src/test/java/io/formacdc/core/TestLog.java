package io.formacdc.core;

import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** What the tests say to a database in which a change log lives. */
final class TestLog implements AutoCloseable {
    final LocalPostgres database = LocalPostgres.shared().createDatabase();
    final Connection session = open();

    TestLog() throws SQLException {
        LocalPostgres.createTables(session);
    }

    Connection open() throws SQLException {
        return database.dataSource().getConnection();
    }

    static UUID id(int number) {
        return new UUID(0, number);
    }

    void dirty(int schemaId, int row, long changedAtMillis) throws SQLException {
        upsert(session, schemaId, row, changedAtMillis);
    }

    /** As a writer does: slot 0 of the row gets a new version. */
    static void upsert(Connection connection, int schemaId, int row, long changedAtMillis) throws SQLException {
        execute(connection, """
                INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (%d, '%s', %d)
                ON CONFLICT (schema_id, row_id, flushed_at) DO UPDATE SET changed_at = excluded.changed_at""".formatted(schemaId, id(row), changedAtMillis));
    }

    /** All dirty rows of a schema, as an export would note them. */
    RowVersions versions(int schemaId) throws SQLException {
        RowVersions.Collector collector = new RowVersions.Collector();
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT row_id, changed_at, xmin::text FROM change_log WHERE flushed_at = 0 AND schema_id = "
                                + schemaId + " ORDER BY row_id")) {
            while (rows.next()) {
                UUID id = rows.getObject(1, UUID.class);
                collector.add(
                        id.getMostSignificantBits(),
                        id.getLeastSignificantBits(),
                        rows.getLong(2),
                        Integer.parseUnsignedInt(rows.getString(3)));
            }
        }
        return RowVersions.of(List.of(collector));
    }

    /** {@code row:flushed_at} of a schema's rows, in order. */
    List<String> marks(int schemaId) throws SQLException {
        return strings("SELECT right(row_id::text, 1) || ':' || flushed_at FROM change_log WHERE schema_id = "
                + schemaId + " ORDER BY row_id, flushed_at");
    }

    List<String> strings(String sql) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                all.add(rows.getString(1));
            }
        }
        return all;
    }

    void execute(String sql) throws SQLException {
        execute(session, sql);
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static int backend(Connection connection) throws SQLException {
        return Jdbc.queryOne(connection, "SELECT pg_backend_pid()", statement -> {}, row -> row.getInt(1));
    }

    /** Returns once the session waits for another's lock, which it must do within seconds. */
    void awaitBlocked(int backend) throws SQLException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (strings("SELECT 1 WHERE cardinality(pg_blocking_pids(" + backend + ")) > 0")
                .isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("session " + backend + " waits for nobody");
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() throws SQLException {
        session.close();
        database.close();
    }
}
