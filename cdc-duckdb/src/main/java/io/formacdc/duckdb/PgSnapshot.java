package io.formacdc.duckdb;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * One instant of the database, seen by as many connections as readers borrow. The first one fixes the instant in a
 * REPEATABLE READ, READ ONLY transaction and exports it, the others join. Thread-safe.
 */
final class PgSnapshot implements AutoCloseable {
    private final PgSessions sessions;
    private final String exportedId;
    private final List<Connection> all = new ArrayList<>();
    private final Deque<Connection> idle = new ArrayDeque<>();

    private PgSnapshot(PgSessions sessions, Connection leader, String exportedId) {
        this.sessions = sessions;
        this.exportedId = exportedId;
        all.add(leader);
        idle.add(leader);
    }

    /** Fixes the instant. */
    static PgSnapshot open(PgSessions sessions) throws SQLException {
        Connection leader = begin(sessions);
        // The instant is that of the first query, not that of BEGIN.
        try (Statement statement = leader.createStatement();
                ResultSet result = statement.executeQuery("SELECT pg_export_snapshot()")) {
            result.next();
            return new PgSnapshot(sessions, leader, result.getString(1));
        } catch (SQLException e) {
            PgSessions.abort(leader);
            throw e;
        }
    }

    /** A connection at this instant, for one reader at a time. */
    synchronized Connection borrow() throws SQLException {
        Connection connection = idle.pollFirst();
        return connection != null ? connection : join();
    }

    /** Takes back a connection on which nothing runs. */
    synchronized void giveBack(Connection connection) {
        idle.addFirst(connection);
    }

    private Connection join() throws SQLException {
        Connection connection = begin(sessions);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET TRANSACTION SNAPSHOT '" + exportedId + "'");
        } catch (SQLException e) {
            PgSessions.abort(connection);
            throw e;
        }
        all.add(connection);
        return connection;
    }

    private static Connection begin(PgSessions sessions) throws SQLException {
        Connection connection = sessions.take();
        try (Statement statement = connection.createStatement()) {
            // Compiling a query, or remembering what was looked up, costs more than it gains where each key is looked
            // up once. A range of keys is never worth a scan of the table, whatever its statistics say, and comes in
            // its
            // order from the index of the primary key, without a sort. What reads side by side is for the reader to
            // say.
            // The one that fixes the instant may rest for as long as the others read.
            statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL jit = off;"
                    + " SET LOCAL enable_memoize = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
                    + " SET LOCAL max_parallel_workers_per_gather = 0;"
                    + " SET LOCAL idle_in_transaction_session_timeout = 0");
            return connection;
        } catch (SQLException e) {
            PgSessions.abort(connection);
            throw e;
        }
    }

    /** Ends the transactions, and cuts connections on which a COPY still runs. Does not throw. */
    @Override
    public synchronized void close() {
        for (Connection connection : all) {
            if (idle.contains(connection)) {
                sessions.giveBack(connection);
            } else {
                PgSessions.abort(connection);
            }
        }
        all.clear();
        idle.clear();
    }
}
