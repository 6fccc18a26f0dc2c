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
    private final int most;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();

    TrackedConnections(DataSource source) {
        this(source, Integer.MAX_VALUE);
    }

    /** @param most connections that may be wanted at once, at least {@link CdcRunner#MIN_CONNECTIONS} */
    TrackedConnections(DataSource source, int most) {
        this.source = source;
        this.most = most;
    }

    /** The same, to cancel what runs on those alone that it hands out. */
    TrackedConnections ofExports() {
        return new TrackedConnections(this, most);
    }

    /**
     * How many may read the same table for one of several files at once: beside the lock's, each file takes so many
     * connections twice, for the entities and for their other attributes.
     */
    int readersOfATable(int filesAtOnce) {
        return Math.max(1, (most - 1) / 2 / filesAtOnce);
    }

    /** How many files may be read at once, each with so many readers for each table. */
    int filesAtOnce(int readersOfATable) {
        return Math.max(1, (most - 1) / 2 / readersOfATable);
    }

    @Override
    public Connection getConnection() throws SQLException {
        open.removeIf(TrackedConnections::isClosed);
        Connection connection;
        try {
            connection = source.getConnection();
        } catch (SQLException e) {
            if (most == Integer.MAX_VALUE || source instanceof TrackedConnections) {
                throw e;
            }
            String message =
                    "the host's data source gave no connection, after " + open.size() + " that are in use; as many"
                            + " as " + most + " may be wanted (maxConnections): " + e.getMessage();
            throw new SQLException(message, e.getSQLState(), e);
        }
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
