package io.formacdc.duckdb;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/**
 * A data source that remembers what it handed out, so that every statement of a pass can be cancelled from outside.
 * Thread-safe.
 */
final class TrackedConnections implements DataSource {
    private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(TrackedConnections.class);

    private static final int POLITE_ATTEMPTS = 3;

    private final DataSource source;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();

    TrackedConnections(DataSource source) {
        this.source = source;
    }

    @Override
    public Connection getConnection() throws SQLException {
        open.removeIf(TrackedConnections::isClosed);
        Connection connection = source.getConnection();
        open.add(connection);
        return connection;
    }

    /**
     * Asks the server to end whatever runs on any of the connections. From the fourth attempt on cuts the connections,
     * for a server that does not answer.
     */
    void cancel(int attempt) {
        for (Connection connection : open) {
            try {
                if (attempt > POLITE_ATTEMPTS) {
                    connection.abort(Runnable::run);
                } else if (!connection.isClosed()) {
                    connection.unwrap(PGConnection.class).cancelQuery();
                }
            } catch (SQLException e) {
                LOG.debug("could not cancel a statement", e);
            }
        }
    }

    private static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new java.sql.SQLFeatureNotSupportedException("connections are opened as configured");
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return source.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        source.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        source.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return source.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws java.sql.SQLFeatureNotSupportedException {
        return source.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return source.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return source.isWrapperFor(type);
    }
}
