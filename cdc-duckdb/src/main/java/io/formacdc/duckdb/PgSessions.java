package io.formacdc.duckdb;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Set;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The connections of one export after the other, opened once: a pass has many chunks, and each reads on several. Thread-safe. */
final class PgSessions implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PgSessions.class);

    private final DataSource dataSource;
    private final Deque<Connection> idle = new ArrayDeque<>();
    /** Those that a host's pool handed out without autocommit, and gets back like that. */
    private final Set<Connection> cameWithoutAutoCommit = Collections.newSetFromMap(new IdentityHashMap<>());

    PgSessions(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** A connection without autocommit, in no transaction; new, or given back by an earlier export. */
    synchronized Connection take() throws SQLException {
        Connection connection = idle.pollFirst();
        return connection != null ? connection : open();
    }

    private Connection open() throws SQLException {
        Connection connection = dataSource.getConnection();
        try {
            if (connection.getAutoCommit()) {
                connection.setAutoCommit(false);
            } else {
                cameWithoutAutoCommit.add(connection);
                connection.rollback();
            }
            return connection;
        } catch (SQLException e) {
            abort(connection);
            throw e;
        }
    }

    /** Ends the transaction and keeps the connection. Does not throw: one that fails is gone. */
    synchronized void giveBack(Connection connection) {
        try {
            connection.rollback();
            idle.addFirst(connection);
        } catch (SQLException e) {
            LOG.debug("could not end a read-only transaction", e);
            abort(connection);
        }
    }

    /**
     * Ends a connection at once: a mere close would read a running COPY to its end. It is closed too, so that a pool
     * learns that it is lost.
     */
    static void abort(Connection connection) {
        try (connection) {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            LOG.debug("could not abort a connection", e);
        }
    }

    /** Closes what is idle. Does not throw. */
    @Override
    public synchronized void close() {
        for (Connection connection : idle) {
            try (connection) {
                connection.setAutoCommit(!cameWithoutAutoCommit.contains(connection));
            } catch (SQLException e) {
                LOG.debug("could not close a connection", e);
            }
        }
        idle.clear();
        cameWithoutAutoCommit.clear();
    }
}
