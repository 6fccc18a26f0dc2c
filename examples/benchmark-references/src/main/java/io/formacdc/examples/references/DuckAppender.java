package io.formacdc.examples.references;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/** JDBC into a table of DuckDB by its Appender, and from there by COPY. */
final class DuckAppender implements References.Way {
    private final Source source;

    DuckAppender(Source source) {
        this.source = source;
    }

    @Override
    public long export(Path target) throws SQLException {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("SET threads = 4");
            statement.execute("SET preserve_insertion_order = false");
            statement.execute("""
                    CREATE TABLE rows (schema_id SMALLINT, row_id UUID, changed_at BIGINT, deleted_at BIGINT,
                      ltbase_created_at BIGINT, ltbase_updated_at BIGINT, ltbase_deleted_at BIGINT,
                      t1 VARCHAR, t2 VARCHAR, t3 VARCHAR, t4 VARCHAR, s1 SMALLINT, i1 INTEGER, i2 INTEGER, i3 INTEGER,
                      b1 BIGINT, b2 BIGINT, b3 BIGINT, d1 DOUBLE, d2 DOUBLE, d3 DOUBLE, d4 DOUBLE, u1 UUID,
                      e1 VARCHAR, e2 VARCHAR, e3 VARCHAR, n1 DOUBLE, n2 DOUBLE, n3 DOUBLE)""");
            try (Rows rows = new Rows(source);
                    DuckDBAppender appender =
                            duckDb.unwrap(DuckDBConnection.class).createAppender("main", "rows")) {
                while (rows.next()) {
                    append(rows, appender);
                }
            }
            return statement.executeLargeUpdate("COPY rows TO '" + target
                    + "' (FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION ZSTD, COMPRESSION_LEVEL 3)");
        }
    }

    private void append(Rows rows, DuckDBAppender to) throws SQLException {
        ResultSet entity = rows.entity();
        to.beginRow();
        to.append((short) source.schemaId());
        to.append(entity.getObject(1, UUID.class));
        for (int column = 2; column <= 6; column++) {
            appendLong(entity, column, to);
        }
        for (int column = 7; column <= 10; column++) {
            appendText(entity.getString(column), to);
        }
        to.append(entity.getShort(11));
        for (int column = 12; column <= 14; column++) {
            to.append(entity.getInt(column));
        }
        for (int column = 15; column <= 17; column++) {
            appendLong(entity, column, to);
        }
        for (int column = 18; column <= 21; column++) {
            to.append(entity.getDouble(column));
        }
        to.append(entity.getObject(22, UUID.class));
        for (String text : rows.texts) {
            appendText(text, to);
        }
        for (double number : rows.numbers) {
            to.append(number);
        }
        to.endRow();
    }

    private static void appendLong(ResultSet from, int column, DuckDBAppender to) throws SQLException {
        long value = from.getLong(column);
        if (from.wasNull()) {
            to.appendNull();
        } else {
            to.append(value);
        }
    }

    private static void appendText(@Nullable String text, DuckDBAppender to) throws SQLException {
        if (text == null) {
            to.appendNull();
        } else {
            to.append(text);
        }
    }

    @Override
    public void close() {}
}
