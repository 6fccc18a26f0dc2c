package io.formacdc.duckdb;

import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.InjectedException;
import io.formacdc.duckdb.SteppedFlush.When;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Catches the SQL of a {@link SteppedFlush} at JDBC. An effect that fails breaks its connection. */
record SteppedSql(SteppedFlush flush) {
    /** A data source whose statements are effects of the flush. */
    DataSource around(DataSource real) {
        return proxy(DataSource.class, real, (proxy, method, args) -> {
            Object result = invoke(method, real, args);
            return result instanceof Connection connection ? steppedConnection(connection) : result;
        });
    }

    private Connection steppedConnection(Connection real) {
        return proxy(Connection.class, real, (proxy, method, args) -> {
            Object result = invoke(method, real, args);
            if (result instanceof PreparedStatement statement) {
                return steppedStatement(PreparedStatement.class, real, statement, (String) args[0]);
            }
            return result instanceof Statement statement
                    ? steppedStatement(Statement.class, real, statement, "")
                    : result;
        });
    }

    private <T extends Statement> T steppedStatement(Class<T> type, Connection connection, T real, String sql) {
        return proxy(type, real, (proxy, method, args) -> {
            if (!method.getName().startsWith("execute")) {
                return invoke(method, real, args);
            }
            Effect effect = effectOf(sql.isEmpty() ? (String) args[0] : sql);
            int occurrence = flush.arrive(effect);
            try {
                flush.come(effect, occurrence, When.BEFORE);
                Object result = invoke(method, real, args);
                flush.come(effect, occurrence, When.AFTER);
                return result;
            } catch (InjectedException e) {
                connection.abort(Runnable::run);
                throw new SQLException("injected loss of the connection at " + effect + " " + occurrence, "08006", e);
            }
        });
    }

    private static <T> T proxy(Class<T> type, T real, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader() == null ? SteppedSql.class.getClassLoader() : type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, args) -> switch (method.getName()) {
                    case "equals" -> proxy == args[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "toString" -> "stepped " + real;
                    default -> handler.invoke(proxy, method, args);
                }));
    }

    private static @Nullable Object invoke(Method method, Object target, @Nullable Object @Nullable [] args)
            throws Throwable {
        try {
            return method.invoke(target, args);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    private static Effect effectOf(String sql) {
        if (sql.contains("GROUP BY schema_id")) {
            return Effect.DIRTY_SCHEMAS;
        } else if (sql.contains("pg_try_advisory_lock")) {
            return Effect.LOCK;
        } else if (sql.contains("pg_advisory_unlock")) {
            return Effect.UNLOCK;
        } else if (sql.contains("coalesce(min(changed_at), 0)")) {
            return Effect.STATS;
        } else if (sql.contains("pg_export_snapshot")) {
            return Effect.SNAPSHOT;
        } else if (sql.contains("pg_attribute")) {
            return Effect.CATALOG;
        } else if (sql.contains("ORDER BY row_id DESC LIMIT 1")) {
            return Effect.LAST_ROW;
        } else if (sql.contains("WITH RECURSIVE pieces")) {
            return Effect.SELECT;
        } else if (sql.contains("UPDATE ")) {
            return Effect.MARK;
        }
        return Effect.OTHER_SQL;
    }
}
