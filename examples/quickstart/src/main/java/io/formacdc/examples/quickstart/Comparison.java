package io.formacdc.examples.quickstart;

import io.formacdc.core.Amounts;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Compares PostgreSQL with the lake, row by row and column by column. What PostgreSQL holds is read by plain JDBC, and
 * nothing of the library's way to read it has a part in that.
 */
final class Comparison {
    private static final int EXAMPLES = 5;

    /** The live entities; columns are those of the lake. */
    private static final String POSTGRES = """
            SELECT ltbase_schema_id AS schema_id, ltbase_row_id AS row_id, log.changed_at, 0 AS deleted_at,
                   ltbase_created_at, ltbase_updated_at, ltbase_deleted_at,
                   text_03 AS admin1, text_02 AS country, text_01 AS name, smallint_01 = 1 AS northern,
                   eav.admin_codes, eav.latitude, eav.longitude
            FROM entity_main
            LEFT JOIN (SELECT row_id, max(changed_at) AS changed_at
                       FROM change_log WHERE schema_id = 1 GROUP BY row_id) log ON log.row_id = ltbase_row_id
            LEFT JOIN (SELECT row_id,
                              max(value_numeric) FILTER (WHERE attr_id = 5)::double precision AS latitude,
                              max(value_numeric) FILTER (WHERE attr_id = 6)::double precision AS longitude,
                              array_remove(array_agg(value_text ORDER BY nullif(array_indices, '')::int)
                                           FILTER (WHERE attr_id = 7), NULL) AS admin_codes
                       FROM eav_data WHERE schema_id = 1 GROUP BY row_id) eav ON eav.row_id = ltbase_row_id
            WHERE ltbase_schema_id = 1
            ORDER BY ltbase_row_id""";

    private static final String LAKE = "SELECT * FROM lake ORDER BY row_id";

    private long rows;
    private long values;
    private long differences;
    private final List<String> examples = new ArrayList<>();

    private Comparison() {}

    /**
     * What came out.
     *
     * @param rows live entities in PostgreSQL
     * @param values compared values
     * @param differences values that differ, and rows and columns that only one side has
     * @param examples the first of them
     */
    record Result(long rows, long values, long differences, List<String> examples) {
        boolean isEqual() {
            return differences == 0;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%,d values of %,d cities compared, %s",
                    values,
                    rows,
                    Amounts.of(differences, "difference"));
        }
    }

    /** @param lake a DuckDB with the view {@code lake} */
    static Result of(Connection postgres, Connection lake) throws SQLException {
        postgres.setAutoCommit(false);
        try (Statement here = postgres.createStatement();
                Statement there = lake.createStatement()) {
            here.setFetchSize(10_000);
            try (ResultSet expected = here.executeQuery(POSTGRES);
                    ResultSet actual = there.executeQuery(LAKE)) {
                Comparison comparison = new Comparison();
                comparison.compare(expected, actual);
                return new Result(
                        comparison.rows, comparison.values, comparison.differences, List.copyOf(comparison.examples));
            }
        } finally {
            postgres.setAutoCommit(true);
        }
    }

    /** Walks both in the order of their row ids. */
    private void compare(ResultSet postgres, ResultSet lake) throws SQLException {
        List<String> columns = columns(postgres);
        if (!columns.equals(columns(lake))) {
            differ("columns are " + columns + " in PostgreSQL, " + columns(lake) + " in the lake");
            return;
        }
        UUID expected = next(postgres);
        UUID actual = next(lake);
        while (expected != null || actual != null) {
            int order = order(expected, actual);
            if (order < 0) {
                differ("city " + expected + " is missing in the lake");
            } else if (order > 0) {
                differ("city " + actual + " is in the lake only");
            } else {
                compareRow(columns, postgres, lake);
            }
            rows += order <= 0 ? 1 : 0;
            expected = order <= 0 ? next(postgres) : expected;
            actual = order >= 0 ? next(lake) : actual;
        }
    }

    private void compareRow(List<String> columns, ResultSet postgres, ResultSet lake) throws SQLException {
        for (String column : columns) {
            Object expected = value(postgres, column);
            Object actual = value(lake, column);
            values++;
            if (!Objects.equals(expected, actual)) {
                differ("city " + rowId(postgres) + ", " + column + ": " + expected + " in PostgreSQL, " + actual
                        + " in the lake");
            }
        }
    }

    private void differ(String difference) {
        differences++;
        if (examples.size() < EXAMPLES) {
            examples.add(difference);
        }
    }

    /** A row that there is comes before one that there is not. Text order of UUIDs is that of both databases. */
    private static int order(@Nullable UUID expected, @Nullable UUID actual) {
        if (expected == null || actual == null) {
            return expected == null ? 1 : -1;
        }
        return expected.equals(actual) ? 0 : expected.toString().compareTo(actual.toString());
    }

    private static @Nullable UUID next(ResultSet rows) throws SQLException {
        return rows.next() ? rowId(rows) : null;
    }

    private static UUID rowId(ResultSet row) throws SQLException {
        return (UUID) row.getObject("row_id");
    }

    /** Integers of any width are equal if their numbers are; everything else must be of one Java type. */
    private static @Nullable Object value(ResultSet row, String column) throws SQLException {
        Object value = row.getObject(column);
        if (value instanceof Short || value instanceof Integer) {
            return ((Number) value).longValue();
        }
        return value instanceof Array list ? Arrays.asList((Object[]) list.getArray()) : value;
    }

    private static List<String> columns(ResultSet rows) throws SQLException {
        ResultSetMetaData metaData = rows.getMetaData();
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= metaData.getColumnCount(); i++) {
            columns.add(metaData.getColumnName(i));
        }
        return columns;
    }
}
