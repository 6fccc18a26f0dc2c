package io.formacdc.core;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** Hands out the same sessions again and resets nothing, as the plainest of pools do; an aborted one is dropped. */
final class TestPool implements DataSource, AutoCloseable {
    private final DataSource sessions;
    private final boolean autoCommit;
    private final Deque<Connection> idle = new ArrayDeque<>();
    int borrowed;

    TestPool(DataSource sessions, boolean autoCommit) {
        this.sessions = sessions;
        this.autoCommit = autoCommit;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection session = idle.isEmpty() ? open() : idle.pop();
        borrowed++;
        boolean[] closed = {false};
        return (Connection) Proxy.newProxyInstance(
                TestPool.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        if (!closed[0]) {
                            closed[0] = true;
                            borrowed--;
                            if (!session.isClosed()) {
                                idle.push(session);
                            }
                        }
                        return null;
                    }
                    try {
                        return method.invoke(session, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    private Connection open() throws SQLException {
        Connection session = sessions.getConnection();
        session.setAutoCommit(autoCommit);
        return session;
    }

    int idleSessions() {
        return idle.size();
    }

    @Override
    public void close() throws SQLException {
        for (Connection session : idle) {
            session.close();
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
