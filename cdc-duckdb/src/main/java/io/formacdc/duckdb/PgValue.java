package io.formacdc.duckdb;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.util.UUID;

/**
 * One value in PostgreSQL's binary format, and its conversions. A conversion that succeeds puts its result into {@link
 * #longResult} or {@link #doubleResult} and returns true; it returns false for a value that does not fit, of which
 * nothing may be kept. Reused for one value after the other, because it stands on the hottest path; confined to a
 * thread.
 */
final class PgValue {
    private static final double TWO_TO_63 = 0x1p63;

    private final PgNumeric numeric = new PgNumeric();
    private PgType type = PgType.OTHER;
    private ByteBuffer row = ByteBuffer.allocate(0);
    private int at;
    private int length;

    long longResult;
    double doubleResult;

    /** Points this at a value that is not NULL. */
    void set(PgType type, ByteBuffer row, int at, int length) {
        this.type = type;
        this.row = row;
        this.at = at;
        this.length = length;
    }

    /** An integer in the 64-bit range, exactly; no fraction. */
    boolean toLong() {
        return switch (type) {
            case INT2, INT4, INT8 -> is(integer());
            case BOOL -> is(row.get(at));
            case FLOAT4 -> toLong(row.getFloat(at));
            case FLOAT8 -> toLong(row.getDouble(at));
            case NUMERIC -> numeric.read(row, at).toLong() && is(numeric.longResult);
            case TEXT, OTHER -> toLong(text());
            case UUID -> false;
        };
    }

    /** The nearest double; not what would only fit as an infinity. */
    boolean toDouble() {
        return switch (type) {
            case INT2, INT4, INT8 -> is((double) integer());
            case BOOL -> is((double) row.get(at));
            case FLOAT4 -> is((double) row.getFloat(at));
            case FLOAT8 -> is(row.getDouble(at));
            case NUMERIC -> numeric.read(row, at).toDouble() && is(numeric.doubleResult);
            case TEXT, OTHER -> toDouble(text());
            case UUID -> false;
        };
    }

    /** Epoch milliseconds: a number passes through without what is below a millisecond, text is read as ISO 8601. */
    boolean toEpochMillis() {
        switch (type) {
            case TEXT, OTHER -> {
                try {
                    return is(IsoDates.toEpochMillis(text()));
                } catch (DateTimeException | ArithmeticException e) {
                    return false;
                }
            }
            case FLOAT4, FLOAT8 -> {
                return toDouble() && toLong(Math.floor(doubleResult));
            }
            case NUMERIC -> {
                return numeric.read(row, at).toFlooredLong() && is(numeric.longResult);
            }
            default -> {
                return toLong();
            }
        }
    }

    /** One or zero: a number is true above one half, text as {@code 1} or {@code true}. */
    boolean toBoolean() {
        if (type.isReadAsText()) {
            String text = text();
            return is(text.equals("1") || text.equals("true") ? 1L : 0L);
        }
        if (type == PgType.NUMERIC) {
            return is(numeric.read(row, at).isAboveHalf() ? 1L : 0L);
        }
        // NaN is the greatest number to PostgreSQL, so it is above one half to the reader of the hot row too.
        return toDouble() && is(doubleResult > 0.5 || Double.isNaN(doubleResult) ? 1L : 0L);
    }

    /** The two halves of a UUID; null if it is none. */
    java.util.@org.jspecify.annotations.Nullable UUID toUuid() {
        if (type == PgType.UUID) {
            return new UUID(row.getLong(at), row.getLong(at + 8));
        }
        if (!type.isReadAsText()) {
            return null;
        }
        String text = text();
        try {
            UUID uuid = UUID.fromString(text);
            // UUID.fromString takes groups of any length, and cuts them.
            return uuid.toString().equalsIgnoreCase(text) ? uuid : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** The bytes of the value, which for text are UTF-8. */
    byte[] bytes() {
        byte[] bytes = new byte[length];
        row.get(at, bytes);
        return bytes;
    }

    private String text() {
        return new String(row.array(), row.arrayOffset() + at, length, StandardCharsets.UTF_8);
    }

    private long integer() {
        return length == 8 ? row.getLong(at) : length == 4 ? row.getInt(at) : row.getShort(at);
    }

    private boolean toLong(double value) {
        return value == Math.rint(value) && value >= -TWO_TO_63 && value < TWO_TO_63 && is((long) value);
    }

    private boolean toLong(String text) {
        try {
            return is(new BigDecimal(text.strip()).longValueExact());
        } catch (NumberFormatException | ArithmeticException e) {
            return false;
        }
    }

    private boolean toDouble(String text) {
        try {
            String number = text.strip();
            return switch (number) {
                case "NaN", "Infinity", "-Infinity" -> is(Double.parseDouble(number));
                // Not Double.parseDouble, which takes 1d and 0x1p3 for numbers too.
                default -> is(new BigDecimal(number).doubleValue()) && !Double.isInfinite(doubleResult);
            };
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private boolean is(long result) {
        longResult = result;
        return true;
    }

    private boolean is(double result) {
        doubleResult = result;
        return true;
    }
}
