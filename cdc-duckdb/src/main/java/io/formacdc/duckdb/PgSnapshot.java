package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * One instant of the database, seen by as many connections as readers borrow. The first one fixes the instant in a
 * REPEATABLE READ, READ ONLY transaction and exports it, the others join. Thread-safe.
 */
final class PgSnapshot implements AutoCloseable {
    /** Set for the transaction alone, so that nothing is left on a pooled session. */
    private static final String ROW_IDS_SETTING = "forma_cdc.row_ids";

    /**
     * SQL for the row ids of a range given to {@link #setRowIds}, one a row; the text of a query does not grow with their number. To
     * select from, not to compare with: a condition would read the ids from their text again for every row.
     */
    static final String ROW_IDS = "unnest(current_setting('" + ROW_IDS_SETTING + "')::uuid[])";

    private final PgSessions sessions;
    private final String exportedId;
    private final List<Connection> all = new ArrayList<>();
    private final Deque<Connection> idle = new ArrayDeque<>();
    private Map<RowIdInterval, String> rowIds = Map.of();

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

    /** For each range the row ids that {@link #ROW_IDS} stands for where it is read, as the text of an array. */
    synchronized void setRowIds(Map<RowIdInterval, String> arrayTexts) {
        rowIds = Map.copyOf(arrayTexts);
    }

    /** Has {@link #ROW_IDS} stand for those of a range, on a connection that is going to read it. */
    void prepare(Connection connection, RowIdInterval range) throws SQLException {
        String arrayText;
        synchronized (this) {
            arrayText = rowIds.get(range);
        }
        if (arrayText == null) {
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT set_config(?, ?, true)")) {
            statement.setString(1, ROW_IDS_SETTING);
            statement.setString(2, arrayText);
            statement.execute();
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
            // Compiling a query costs more than these look-ups by key ever gain from it.
            // The one that fixes the instant may rest for as long as the others read.
            // What is left of the planner's ways are scans by key, and merges of these: see PgQueries.
            statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL jit = off;"
                    + " SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL enable_seqscan = off;"
                    + " SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;"
                    + " SET LOCAL enable_nestloop = off; SET LOCAL enable_sort = off");
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
