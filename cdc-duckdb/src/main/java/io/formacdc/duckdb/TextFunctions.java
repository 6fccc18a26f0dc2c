package io.formacdc.duckdb;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBReadableVector;
import org.duckdb.DuckDBWritableVector;

/**
 * Conversions of values that arrive as text, by the rules of {@link PgValue}, for DuckDB's SQL. What does not fit is
 * NULL. NUMERIC comes as text too, because the extension makes a double of it.
 */
enum TextFunctions {
    /** An integer in the 64-bit range. */
    TO_LONG(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            return value.toLong() && set(out, row, value.longResult);
        }
    },
    TO_DOUBLE(DuckDBColumnType.DOUBLE) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            if (!value.toDouble()) {
                return false;
            }
            out.setDouble(row, value.doubleResult);
            return true;
        }
    },
    /** ISO 8601 to epoch milliseconds. */
    DATE_TO_MILLIS(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            return value.toEpochMillis() && set(out, row, value.longResult);
        }
    },
    /** The greatest integer that is not above a NUMERIC. */
    NUMERIC_FLOOR(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            try {
                long floor =
                        new BigDecimal(text).setScale(0, RoundingMode.FLOOR).longValueExact();
                return set(out, row, floor);
            } catch (NumberFormatException | ArithmeticException e) {
                return false;
            }
        }
    },
    /** One if a NUMERIC is above one half, as PostgreSQL compares, to which NaN is the greatest; zero if not. */
    NUMERIC_IS_TRUE(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            boolean aboveHalf = switch (text) {
                case "NaN", "Infinity" -> true;
                case "-Infinity" -> false;
                default -> new BigDecimal(text).compareTo(HALF) > 0;
            };
            return set(out, row, aboveHalf ? 1 : 0);
        }
    },
    /** The first number of {@code array_indices}. */
    ITEM_ORDER(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            return set(out, row, EavReader.itemOrder(text));
        }
    },
    /** The further numbers. */
    ITEM_SUB_ORDER(DuckDBColumnType.BIGINT) {
        @Override
        boolean write(String text, PgValue value, DuckDBWritableVector out, long row) {
            return set(out, row, EavReader.itemSubOrder(text));
        }
    };

    private static final BigDecimal HALF = new BigDecimal("0.5");

    private final DuckDBColumnType type;

    TextFunctions(DuckDBColumnType type) {
        this.type = type;
    }

    /** Returns false, having written nothing, for text that does not fit. */
    abstract boolean write(String text, PgValue value, DuckDBWritableVector out, long row);

    /** A call, as SQL. */
    String of(String column) {
        return "forma_cdc_" + name().toLowerCase(java.util.Locale.ROOT) + "(" + column + ")";
    }

    /** Registers all; once for each database. */
    static void register(Connection duckDb) throws SQLException {
        for (TextFunctions function : values()) {
            DuckDBFunctions.scalarFunction()
                    .withName("forma_cdc_" + function.name().toLowerCase(java.util.Locale.ROOT))
                    .withParameter(String.class)
                    .withReturnType(function.type)
                    .withVectorizedFunction(
                            (rows, result) -> function.writeAll(rows.vector(0), rows.rowCount(), result))
                    .register(duckDb);
        }
    }

    private void writeAll(DuckDBReadableVector texts, long rows, DuckDBWritableVector out) {
        PgValue value = new PgValue();
        for (long row = 0; row < rows; row++) {
            String text = texts.isNull(row) ? null : texts.getString(row);
            if (text != null) {
                byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
                value.set(PgType.TEXT, ByteBuffer.wrap(utf8), 0, utf8.length);
            }
            if (text == null || !write(text, value, out, row)) {
                out.setNull(row);
            }
        }
    }

    private static boolean set(DuckDBWritableVector out, long row, long value) {
        out.setLong(row, value);
        return true;
    }
}
