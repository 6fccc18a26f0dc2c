package io.formacdc.examples.localstack;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database on a real PostgreSQL server in this process's care. Passwords are checked (scram-sha-256), the port is
 * free, the data lie in a temporary folder that goes when the server is closed or the JVM exits.
 *
 * <p>Where the environment variable {@value #URL_VARIABLE} holds a JDBC URL, that server is used and none is started;
 * its own databases are left alone. Under the Maven profile {@code containers} the server is one in a container.
 * Thread-safe.
 */
public final class LocalPostgres implements AutoCloseable {
    /** A JDBC URL with user and password, of a server to use instead of starting one. */
    public static final String URL_VARIABLE = "CDC_TEST_PG_URL";

    private static final String SUPERUSER = "postgres";

    private static @Nullable LocalPostgres shared;

    private final String host;
    private final int port;
    private final String user;
    private final String password;
    private final String database;
    private final @Nullable EmbeddedPostgres server;
    private final @Nullable LocalPostgres parent;

    private LocalPostgres(
            String host,
            int port,
            String user,
            String password,
            String database,
            @Nullable EmbeddedPostgres server,
            @Nullable LocalPostgres parent) {
        this.host = host;
        this.port = port;
        this.user = user;
        this.password = password;
        this.database = database;
        this.server = server;
        this.parent = parent;
    }

    /**
     * Starts a server that is quick rather than durable: fsync is off.
     *
     * @throws IllegalStateException if no server can be started here, saying what to do
     */
    public static LocalPostgres start() {
        return start(Map.of());
    }

    /**
     * Starts a server with settings of its own, as in {@code Map.of("fsync", "on", "synchronous_commit", "on")}. They
     * have no effect on a server named by {@value #URL_VARIABLE}.
     *
     * @throws IllegalStateException if no server can be started here, saying what to do
     */
    public static LocalPostgres start(Map<String, String> settings) {
        LocalPostgres server = server(settings);
        return server.server == null ? server.createDatabase() : server;
    }

    /**
     * The one server that everything in this JVM may share: started at the first call, stopped when the JVM exits.
     * Closing it does nothing; take a {@link #createDatabase() database} each.
     *
     * @throws IllegalStateException if no server can be started here, saying what to do
     */
    public static synchronized LocalPostgres shared() {
        if (shared == null) {
            LocalPostgres own = server(Map.of());
            shared = new LocalPostgres(own.host, own.port, own.user, own.password, own.database, null, null);
        }
        return shared;
    }

    /** A new, empty database on the same server. Closing it drops it, whoever is still connected. */
    public LocalPostgres createDatabase() {
        String name = "cdc_" + UUID.randomUUID().toString().replace("-", "");
        execute("CREATE DATABASE " + name);
        return new LocalPostgres(host, port, user, password, name, null, this);
    }

    /** The SQL that creates the four tables of a deployment, with all hot columns. */
    public static String ddl() {
        try (InputStream sql = LocalPostgres.class.getResourceAsStream("tables.sql")) {
            if (sql == null) {
                throw new IllegalStateException("tables.sql is not on the class path");
            }
            return new String(sql.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates the tables of {@link #ddl()} in the connection's database. */
    public static void createTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(ddl());
        }
    }

    /** {@code jdbc:postgresql://host:port/database}, without user and password. */
    public String jdbcUrl() {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database;
    }

    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    /** A superuser. */
    public String user() {
        return user;
    }

    public String password() {
        return password;
    }

    public String database() {
        return database;
    }

    /** Opens a new connection at every call; pools nothing. */
    public DataSource dataSource() {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setServerNames(new String[] {host});
        dataSource.setPortNumbers(new int[] {port});
        dataSource.setUser(user);
        dataSource.setPassword(password);
        dataSource.setDatabaseName(database);
        return dataSource;
    }

    /** Stops a server that was started, drops a database that was created. May be called twice. */
    @Override
    public void close() {
        if (server != null) {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        } else if (parent != null) {
            parent.execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
        }
    }

    /** All but the password. */
    @Override
    public String toString() {
        return user + "@" + jdbcUrl();
    }

    private void execute(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql + " failed on " + this + ": " + e.getMessage(), e);
        }
    }

    private static LocalPostgres server(Map<String, String> settings) {
        String url = System.getenv(URL_VARIABLE);
        if (url != null && !url.isBlank()) {
            return serverAt(url.strip());
        }
        return ServerSource.find().map(source -> serverAt(source.postgresUrl())).orElseGet(() -> startServer(settings));
    }

    private static LocalPostgres serverAt(String url) {
        Properties properties = Driver.parseURL(url, null);
        if (properties == null) {
            throw new IllegalStateException(URL_VARIABLE + " is no JDBC URL of PostgreSQL, such as"
                    + " jdbc:postgresql://localhost:5432/postgres?user=postgres&password=...");
        }
        return new LocalPostgres(
                text(PGProperty.PG_HOST, properties, "localhost"),
                Integer.parseInt(text(PGProperty.PG_PORT, properties, "5432")),
                text(PGProperty.USER, properties, SUPERUSER),
                text(PGProperty.PASSWORD, properties, ""),
                text(PGProperty.PG_DBNAME, properties, SUPERUSER),
                null,
                null);
    }

    private static String text(PGProperty property, Properties properties, String defaultValue) {
        String value = property.getOrDefault(properties);
        return value == null ? defaultValue : value;
    }

    private static LocalPostgres startServer(Map<String, String> settings) {
        String password = UUID.randomUUID().toString();
        try {
            Path data = Files.createTempDirectory("cdc-postgres");
            Path passwordFile = Files.createTempFile("cdc-postgres", ".password");
            try {
                Files.writeString(passwordFile, password);
                // The first three are options of initdb. The builder passes on what it takes for locale options, and
                // nothing else; so the server asks for a password from its first moment on.
                EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                        .setLocaleConfig("auth", "scram-sha-256")
                        .setLocaleConfig("pwfile", passwordFile.toString())
                        .setLocaleConfig("locale", "C")
                        .setDataDirectory(data)
                        .setConnectConfig("password", password)
                        .setServerConfig("max_connections", "200")
                        .setServerConfig("shared_buffers", "256MB")
                        .setServerConfig("max_wal_size", "2GB");
                settings.forEach(builder::setServerConfig);
                EmbeddedPostgres server = builder.start();
                return new LocalPostgres("localhost", server.getPort(), SUPERUSER, password, "postgres", server, null);
            } catch (IOException | RuntimeException e) {
                stopAbandoned(data);
                deleteTree(data);
                throw e;
            } finally {
                Files.deleteIfExists(passwordFile);
            }
        } catch (IOException | RuntimeException e) {
            throw new IllegalStateException(
                    "PostgreSQL could not be started here: " + e.getMessage() + ". It refuses to run as root, and so"
                            + " needs user namespaces (unshare -U) where this process is root: run as another user, or"
                            + " switch them on. Or set " + URL_VARIABLE + " to the JDBC URL of a server to use instead,"
                            + " such as jdbc:postgresql://localhost:5432/postgres?user=postgres&password=...",
                    e);
        }
    }

    /** Ends what a start that failed half-way, as when the JVM is about to end, has left to nobody. */
    private static void stopAbandoned(Path data) throws IOException {
        // Its starter first: after that, the server has written its process id, or never will.
        ProcessHandle.current().children().forEach(LocalPostgres::awaitEnd);
        Path processId = data.resolve("postmaster.pid");
        if (Files.exists(processId)) {
            long pid = Long.parseLong(Files.readAllLines(processId).get(0).strip());
            ProcessHandle.of(pid).filter(ProcessHandle::destroy).ifPresent(LocalPostgres::awaitEnd);
        }
    }

    private static void awaitEnd(ProcessHandle process) {
        process.onExit().completeOnTimeout(process, 10, TimeUnit.SECONDS).join();
    }

    private static void deleteTree(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
