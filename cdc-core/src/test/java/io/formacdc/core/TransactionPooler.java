package io.formacdc.core;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Gives each transaction one of a few sessions, as PgBouncer does in transaction mode: a statement that commits itself
 * runs on the next free one, a longer transaction keeps its own until it ends. For one thread.
 */
final class TransactionPooler implements AutoCloseable {
    /** Which of the free sessions comes next. */
    enum Order {
        LAST_USED_FIRST,
        ROUND_ROBIN
    }

    private final Order order;
    private final Deque<Connection> free = new ArrayDeque<>();

    TransactionPooler(DataSource server, int sessions, Order order) throws SQLException {
        this.order = order;
        while (free.size() < sessions) {
            free.add(server.getConnection());
        }
    }

    DataSource dataSource() {
        return (DataSource) Proxy.newProxyInstance(
                TransactionPooler.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> connection());
    }

    private Connection connection() {
        Client client = new Client();
        return (Connection) Proxy.newProxyInstance(
                TransactionPooler.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> client.call(method, arguments));
    }

    private Connection next() {
        Connection session = free.remove();
        if (order == Order.ROUND_ROBIN) {
            free.addLast(session);
        } else {
            free.addFirst(session);
        }
        return session;
    }

    @Override
    public void close() throws SQLException {
        for (Connection session : free) {
            session.close();
        }
    }

    private final class Client {
        private boolean autoCommit = true;
        private @Nullable Connection own;

        @Nullable
        Object call(Method method, Object @Nullable [] arguments) throws Throwable {
            return switch (method.getName()) {
                case "getAutoCommit" -> autoCommit;
                case "setAutoCommit" -> {
                    autoCommit = arguments != null && (boolean) arguments[0];
                    yield null;
                }
                case "rollback", "close", "abort" -> {
                    endTransaction();
                    yield null;
                }
                default -> onSession(method, arguments);
            };
        }

        private @Nullable Object onSession(Method method, Object @Nullable [] arguments) throws Throwable {
            try {
                return method.invoke(session(), arguments);
            } catch (InvocationTargetException e) {
                throw e.getTargetException();
            }
        }

        private Connection session() throws SQLException {
            if (own != null) {
                return own;
            }
            if (autoCommit) {
                return next();
            }
            own = free.remove();
            own.setAutoCommit(false);
            return own;
        }

        private void endTransaction() throws SQLException {
            if (own != null) {
                own.rollback();
                own.setAutoCommit(true);
                free.addFirst(own);
                own = null;
            }
        }
    }
}
