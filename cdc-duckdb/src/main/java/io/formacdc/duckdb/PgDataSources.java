package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Where connections to PostgreSQL come from. No message of these carries the password. */
final class PgDataSources {
    private static final int CONNECT_TIMEOUT_SECONDS =
            (int) Duration.ofSeconds(10).toSeconds();

    /** {@code key = value}, the value bare or in single quotes with backslash escapes, as libpq reads it. */
    private static final Pattern KEY_VALUE =
            Pattern.compile("\\s*([A-Za-z_]+)\\s*=\\s*(?:'((?:[^'\\\\]|\\\\.)*)'|((?:[^\\s'\\\\]|\\\\.)*))\\s*");

    private PgDataSources() {}

    static DataSource of(CdcConfig config) {
        PGSimpleDataSource dataSource = withOwnSettings();
        dataSource.setServerNames(new String[] {config.pgHost()});
        dataSource.setPortNumbers(new int[] {config.pgPort()});
        dataSource.setDatabaseName(config.pgDb());
        dataSource.setUser(config.pgUser());
        dataSource.setPassword(config.pgPassword());
        dataSource.setSslMode(config.pgSslMode());
        return dataSource;
    }

    /**
     * Reads a connection string: libpq's {@code host=... port=...} or {@code postgresql://...}, as in Go, or a JDBC URL.
     *
     * @throws IllegalArgumentException if it is none of these; the text is not repeated, as it may hold a password
     */
    static DataSource of(String connectionString) {
        PGSimpleDataSource dataSource = withOwnSettings();
        if (connectionString.startsWith("jdbc:")) {
            dataSource.setURL(connectionString);
            return dataSource;
        }
        Map<String, String> values =
                connectionString.startsWith("postgres://") || connectionString.startsWith("postgresql://")
                        ? ofUri(connectionString)
                        : ofKeyValues(connectionString);
        dataSource.setServerNames(new String[] {values.getOrDefault("host", "localhost")});
        dataSource.setPortNumbers(new int[] {Integer.parseInt(values.getOrDefault("port", "5432"))});
        String user = values.getOrDefault("user", "postgres");
        dataSource.setUser(user);
        dataSource.setPassword(values.getOrDefault("password", ""));
        dataSource.setDatabaseName(values.getOrDefault("dbname", user));
        dataSource.setSslMode(values.getOrDefault("sslmode", "prefer"));
        return dataSource;
    }

    private static PGSimpleDataSource withOwnSettings() {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setApplicationName("forma-cdc");
        dataSource.setConnectTimeout(CONNECT_TIMEOUT_SECONDS);
        dataSource.setTcpKeepAlive(true);
        return dataSource;
    }

    private static Map<String, String> ofKeyValues(String text) {
        Map<String, String> values = new HashMap<>();
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
        URI uri;
        try {
            uri = new URI(text);
        } catch (java.net.URISyntaxException e) {
            throw new IllegalArgumentException("the connection string is no valid URI at character " + e.getIndex());
        }
        Map<String, String> values = new HashMap<>();
        if (uri.getHost() != null) {
            values.put("host", uri.getHost());
        }
        if (uri.getPort() > 0) {
            values.put("port", String.valueOf(uri.getPort()));
        }
        if (uri.getRawUserInfo() != null) {
            String[] userInfo = uri.getRawUserInfo().split(":", 2);
            values.put("user", decode(userInfo[0]));
            if (userInfo.length == 2) {
                values.put("password", decode(userInfo[1]));
            }
        }
        if (uri.getPath() != null && uri.getPath().length() > 1) {
            values.put("dbname", uri.getPath().substring(1));
        }
        if (uri.getRawQuery() != null) {
            for (String pair : uri.getRawQuery().split("&", -1)) {
                String[] keyValue = pair.split("=", 2);
                values.put(decode(keyValue[0]), keyValue.length == 2 ? decode(keyValue[1]) : "");
            }
        }
        return values;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
