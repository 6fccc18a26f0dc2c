package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.s3.IamTokens;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ssl.DefaultJavaSSLFactory;

/** Where connections to PostgreSQL come from. No message of these carries the password. */
final class PgDataSources {
    private static final int CONNECT_TIMEOUT_SECONDS =
            (int) Duration.ofSeconds(10).toSeconds();

    /** {@code key = value}, the value bare or in single quotes with backslash escapes, as libpq reads it. */
    private static final Pattern KEY_VALUE =
            Pattern.compile("\\s*([A-Za-z_]+)\\s*=\\s*(?:'((?:[^'\\\\]|\\\\.)*)'|((?:[^\\s'\\\\]|\\\\.)*))\\s*");

    /** Not java.net.URI, which has no host where a name has an underscore, and then no user and no port either. */
    private static final Pattern URI = Pattern.compile("postgres(?:ql)?://(?:([^:@/?#]*)(?::([^:@/?#]*))?@)?"
            + "(\\[[^]@]*]|[^:@/?#\\[]*)(?::([^:@/?#]*))?(?:/([^/?#]*))?(?:\\?([^#]*))?");

    private static final List<String> READ_HERE = List.of("host", "port", "user", "password", "dbname", "sslmode");

    /** The driver's property by libpq's name. */
    private static final Map<String, String> PASSED_ON = new TreeMap<>(Map.of(
            "application_name", "ApplicationName",
            "connect_timeout", "connectTimeout",
            "options", "options",
            "sslcert", "sslcert",
            "sslkey", "sslkey",
            "sslrootcert", "sslrootcert"));

    private PgDataSources() {}

    /** @param config with defaults filled in */
    static DataSource of(CdcConfig config) {
        return of(config, IamTokens.of(config)::next, System.getenv());
    }

    static DataSource of(CdcConfig config, Supplier<String> iamTokens, Map<String, String> environment) {
        PGSimpleDataSource dataSource =
                withOwnSettings(config.pgUseIam() ? new IamDataSource(iamTokens) : new PgDataSource());
        dataSource.setServerNames(new String[] {config.pgHost()});
        dataSource.setPortNumbers(new int[] {config.pgPort()});
        dataSource.setDatabaseName(config.pgDb());
        dataSource.setUser(config.pgUser());
        dataSource.setPassword(config.pgPassword());
        dataSource.setSslMode(config.pgSslMode());
        String rootCert = config.pgSslRootCert().isEmpty()
                ? environment.getOrDefault("PGSSLROOTCERT", "")
                : config.pgSslRootCert();
        if (!rootCert.isEmpty()) {
            trust(dataSource, rootCert);
        }
        return dataSource;
    }

    /** Named authorities turn require into verify-ca, as in libpq and in Go's driver; the JDBC driver would ignore them. */
    private static void trust(PGSimpleDataSource dataSource, String rootCert) {
        if (rootCert.equals(CdcConfig.SYSTEM_ROOT_CERT)) {
            dataSource.setSslfactory(DefaultJavaSSLFactory.class.getName());
            return;
        }
        dataSource.setSslRootCert(rootCert);
        if ("require".equals(dataSource.getSslMode())) {
            dataSource.setSslMode("verify-ca");
        }
    }

    static boolean trustsTheSystem(PGSimpleDataSource dataSource) {
        return DefaultJavaSSLFactory.class.getName().equals(dataSource.getSslfactory());
    }

    /**
     * Reads a connection string: libpq's {@code host=... port=...} or {@code postgresql://...}, as in Go, or a JDBC URL.
     *
     * @throws IllegalArgumentException if it is none of these, or has an option that is not known; the text is not
     *     repeated, as it may hold a password
     */
    static DataSource of(String connectionString) {
        if (connectionString.startsWith("jdbc:")) {
            return ofJdbcUrl(connectionString);
        }
        boolean isUri = connectionString.startsWith("postgres://") || connectionString.startsWith("postgresql://");
        return ofValues(isUri ? ofUri(connectionString) : ofKeyValues(connectionString));
    }

    private static DataSource ofJdbcUrl(String url) {
        PGSimpleDataSource dataSource = withOwnSettings(new PgDataSource());
        try {
            dataSource.setURL(url);
            return dataSource;
        } catch (IllegalArgumentException e) {
            // Without its cause, which repeats the URL.
            throw new IllegalArgumentException("the connection string is no JDBC URL of PostgreSQL");
        }
    }

    private static DataSource ofValues(Map<String, String> values) {
        PGSimpleDataSource dataSource = withOwnSettings(new PgDataSource());
        dataSource.setServerNames(new String[] {values.getOrDefault("host", "localhost")});
        dataSource.setPortNumbers(new int[] {port(values.getOrDefault("port", "5432"))});
        String user = values.getOrDefault("user", "postgres");
        dataSource.setUser(user);
        dataSource.setPassword(values.getOrDefault("password", ""));
        dataSource.setDatabaseName(values.getOrDefault("dbname", user));
        dataSource.setSslMode(values.getOrDefault("sslmode", "prefer"));
        try {
            for (Map.Entry<String, String> value : values.entrySet()) {
                String property = PASSED_ON.get(value.getKey());
                if (property != null) {
                    dataSource.setProperty(property, value.getValue());
                } else if (!READ_HERE.contains(value.getKey())) {
                    throw new IllegalArgumentException("the connection string has an option that is not known; known"
                            + " are " + String.join(", ", READ_HERE) + ", " + String.join(", ", PASSED_ON.keySet()));
                }
            }
        } catch (SQLException e) {
            throw new IllegalArgumentException("an option of the connection string has a value that is not allowed");
        }
        return dataSource;
    }

    private static int port(String text) {
        if (!text.matches("[0-9]{1,5}")) {
            throw new IllegalArgumentException("the port in the connection string is no number");
        }
        return Integer.parseInt(text);
    }

    private static PGSimpleDataSource withOwnSettings(PGSimpleDataSource dataSource) {
        dataSource.setApplicationName("forma-cdc");
        dataSource.setConnectTimeout(CONNECT_TIMEOUT_SECONDS);
        dataSource.setTcpKeepAlive(true);
        return dataSource;
    }

    private static Map<String, String> ofKeyValues(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        Matcher matcher = KEY_VALUE.matcher(text);
        int at = 0;
        while (at < text.length()) {
            if (!matcher.region(at, text.length()).lookingAt()) {
                throw new IllegalArgumentException("the connection string cannot be read from character " + at
                        + "; write host=... port=... user=... password='...' dbname=..., or a JDBC URL");
            }
            String value = matcher.group(2) != null ? matcher.group(2) : matcher.group(3);
            values.put(matcher.group(1), value.replaceAll("\\\\(.)", "$1"));
            at = matcher.end();
        }
        return values;
    }

    private static Map<String, String> ofUri(String text) {
        Matcher uri = URI.matcher(text);
        if (!uri.matches()) {
            throw new IllegalArgumentException("the connection string is no URI such as"
                    + " postgresql://user:password@host:port/database; in user and password write @ as %40, : as %3A,"
                    + " / as %2F");
        }
        Map<String, String> values = new LinkedHashMap<>();
        List<String> names = List.of("user", "password", "host", "port", "dbname");
        for (int i = 0; i < names.size(); i++) {
            String value = uri.group(i + 1);
            if (value != null && !value.isEmpty()) {
                values.put(names.get(i), decode(value));
            }
        }
        for (String pair : uri.group(6) == null ? new String[0] : uri.group(6).split("&", -1)) {
            String[] keyValue = pair.split("=", 2);
            values.put(decode(keyValue[0]), keyValue.length == 2 ? decode(keyValue[1]) : "");
        }
        return values;
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the connection string has a % without two hexadecimal digits");
        }
    }
}
