package io.formacdc.duckdb;

import io.formacdc.s3.S3ObjectStore;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBDataChunkWriter;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBTableFunction;
import org.duckdb.DuckDBTableFunctionBindInfo;
import org.duckdb.DuckDBTableFunctionCallInfo;
import org.duckdb.DuckDBTableFunctionInitInfo;
import org.duckdb.DuckDBWritableVector;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an {@link ExtensionWriter} and a DuckDB without extensions: {@code postgres_query} is a Java function
 * that runs the statement by JDBC and gives the types that the extension would give; a COPY to {@code s3://} goes to a local
 * file, which is put into the bucket by the SDK; LOAD, secrets and ATTACH are heard and passed over. Every statement is
 * kept, and can be made to fail before or after it took effect. Where the extensions are there, they do the work.
 */
final class StandInExtensions implements UnaryOperator<Connection> {
    private static final Pattern S3_TARGET = Pattern.compile("TO 's3://([^/']+)/([^']+)'");
    private static final Pattern PASSED_OVER = Pattern.compile(
            "(INSTALL|LOAD|SET extension_directory|CREATE SECRET|DROP SECRET|ATTACH|DETACH)\\b.*", Pattern.DOTALL);

    /** Told of each statement, before and after it took effect. */
    @FunctionalInterface
    interface Step {
        void at(String sql, boolean done) throws Exception;
    }

    private final TestHost host;
    private final Path folder;
    private final boolean standsIn = TestHost.way != Way.EXTENSIONS;
    final List<String> statements = new ArrayList<>();
    Step step = (sql, done) -> {};

    /** @param folder of the files that DuckDB writes in the place of objects */
    StandInExtensions(TestHost host, Path folder) {
        this.host = host;
        this.folder = folder;
    }

    @Override
    public Connection apply(Connection real) {
        if (!standsIn) {
            return around(real);
        }
        try {
            DuckDBFunctions.tableFunction()
                    .withName("postgres_query")
                    .withParameters(String.class, String.class)
                    .withFunction(new PostgresQuery(host.postgres.dataSource()))
                    .register(real);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return around(real);
    }

    private Connection around(Connection real) {
        return proxy(Connection.class, (proxy, method, args) -> {
            Object result = invoke(method, real, args);
            return result instanceof Statement statement ? around(statement) : result;
        });
    }

    private Statement around(Statement real) {
        return proxy(Statement.class, (proxy, method, args) -> {
            if (!method.getName().startsWith("execute")) {
                return invoke(method, real, args);
            }
            String sql = (String) args[0];
            statements.add(sql);
            at(sql, false);
            boolean passesOver = standsIn && PASSED_OVER.matcher(sql).matches();
            Object result = passesOver ? (Object) false : execute(method, real, sql);
            at(sql, true);
            return result;
        });
    }

    private void at(String sql, boolean done) throws SQLException {
        try {
            step.at(sql, done);
        } catch (SQLException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private @Nullable Object execute(Method method, Statement real, String sql) throws Throwable {
        Matcher target = S3_TARGET.matcher(sql);
        if (!standsIn || !target.find()) {
            return invoke(method, real, new Object[] {sql});
        }
        Path file = folder.resolve(UUID.randomUUID() + ".parquet");
        try {
            String local = target.replaceFirst(Matcher.quoteReplacement("TO " + ExportSql.literal(file.toString())));
            Object result = invoke(method, real, new Object[] {local});
            new S3ObjectStore(host.client, target.group(1)).put(target.group(2), file);
            return result;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(
                StandInExtensions.class.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, args) -> switch (method.getName()) {
                    case "equals" -> proxy == args[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "toString" -> "stand-in";
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

    /** Rows of one execution, read at once. */
    private record Rows(List<DuckDBColumnType> types, List<@Nullable Object[]> rows, AtomicInteger next) {}

    private record PostgresQuery(DataSource postgres) implements DuckDBTableFunction<Rows, Rows, Object> {
        @Override
        public Rows bind(DuckDBTableFunctionBindInfo info) throws SQLException {
            try (Connection connection = postgres.getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet result =
                            statement.executeQuery(info.getParameter(1).getString())) {
                ResultSetMetaData columns = result.getMetaData();
                List<DuckDBColumnType> types = new ArrayList<>();
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    types.add(type(columns.getColumnTypeName(i)));
                    info.addResultColumn(columns.getColumnName(i), types.get(i - 1));
                }
                List<@Nullable Object[]> rows = new ArrayList<>();
                while (result.next()) {
                    @Nullable Object[] row = new Object[types.size()];
                    for (int i = 0; i < row.length; i++) {
                        row[i] = types.get(i) == DuckDBColumnType.VARCHAR
                                ? result.getString(i + 1)
                                : result.getObject(i + 1);
                    }
                    rows.add(row);
                }
                return new Rows(types, rows, new AtomicInteger());
            }
        }

        /** As the extension maps them, but for UUID, which no Java function can return. */
        private static DuckDBColumnType type(String postgresType) {
            return switch (postgresType) {
                case "int2" -> DuckDBColumnType.SMALLINT;
                case "int4" -> DuckDBColumnType.INTEGER;
                case "int8" -> DuckDBColumnType.BIGINT;
                case "float4" -> DuckDBColumnType.FLOAT;
                case "float8" -> DuckDBColumnType.DOUBLE;
                case "bool" -> DuckDBColumnType.BOOLEAN;
                case "text", "uuid" -> DuckDBColumnType.VARCHAR;
                default -> throw new IllegalArgumentException("the extension may read " + postgresType + " as another");
            };
        }

        @Override
        public Rows init(DuckDBTableFunctionInitInfo info) {
            info.setMaxThreads(1);
            return info.getBindData();
        }

        @Override
        public long apply(DuckDBTableFunctionCallInfo info, DuckDBDataChunkWriter chunk) {
            Rows scan = info.getInitData();
            int first = scan.next.get();
            int rows = (int) Math.min(chunk.capacity(), scan.rows.size() - first);
            for (int row = 0; row < rows; row++) {
                @Nullable Object[] values = scan.rows.get(first + row);
                for (int column = 0; column < values.length; column++) {
                    write(chunk.vector(column), row, scan.types.get(column), values[column]);
                }
            }
            scan.next.addAndGet(rows);
            return rows;
        }

        private static void write(DuckDBWritableVector out, int row, DuckDBColumnType type, @Nullable Object value) {
            if (value == null) {
                out.setNull(row);
                return;
            }
            switch (type) {
                case SMALLINT -> out.setShort(row, ((Number) value).shortValue());
                case INTEGER -> out.setInt(row, ((Number) value).intValue());
                case BIGINT -> out.setLong(row, ((Number) value).longValue());
                case FLOAT -> out.setFloat(row, ((Number) value).floatValue());
                case DOUBLE -> out.setDouble(row, ((Number) value).doubleValue());
                case BOOLEAN -> out.setBoolean(row, (Boolean) value);
                default -> out.setString(row, (String) value);
            }
        }
    }
}
