package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A connection string as libpq reads it, every value in quotes. Immutable; its text is not its {@link #toString()}.
 *
 * @param password a part of the text
 */
record PgDsn(String text, String password) {
    static PgDsn of(CdcConfig config) {
        return of(PgDataSources.of(config));
    }

    /** @param connectionString any that {@link PgDataSources} reads, whose messages repeat nothing of it */
    static PgDsn of(String connectionString) {
        return of(PgDataSources.of(connectionString));
    }

    private static PgDsn of(DataSource dataSource) {
        if (!(dataSource instanceof PGSimpleDataSource simple)) {
            throw new IllegalArgumentException("DuckDB connects to PostgreSQL by itself, and needs host and user");
        }
        Map<String, @Nullable String> values = new LinkedHashMap<>();
        values.put("host", bare(simple.getServerNames()[0]));
        values.put("port", String.valueOf(simple.getPortNumbers()[0]));
        values.put("user", simple.getUser());
        values.put("password", simple.getPassword());
        values.put("dbname", simple.getDatabaseName());
        values.put("sslmode", simple.getSslMode());
        values.put("sslcert", simple.getSslCert());
        values.put("sslkey", simple.getSslKey());
        values.put("sslrootcert", simple.getSslRootCert());
        values.put("options", simple.getOptions());
        values.put("application_name", simple.getApplicationName());
        values.put("connect_timeout", String.valueOf(simple.getConnectTimeout()));
        String password = simple.getPassword();
        return new PgDsn(
                values.entrySet().stream()
                        .filter(value ->
                                value.getValue() != null && !value.getValue().isEmpty())
                        .map(value -> value.getKey() + "='" + escape(String.valueOf(value.getValue())) + "'")
                        .collect(Collectors.joining(" ")),
                password == null ? "" : password);
    }

    /** libpq takes an IPv6 address without brackets. */
    private static String bare(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    /** Inside libpq's quotes. */
    static String escape(String value) {
        return value.replace("\\", "\\\\").replace("'", "\\'");
    }

    @Override
    public String toString() {
        return "PgDsn";
    }
}
