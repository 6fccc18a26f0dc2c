package io.formacdc.duckdb;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;

/**
 * PostgreSQL's NUMERIC in binary: a count of base-10000 digits, the weight of the first, a sign, a display scale, the
 * digits. Values whose digits fit a long, and whose power of ten a double holds exactly, are converted without
 * allocation; the others go through {@link BigDecimal}, so that every result is exact or correctly rounded. Reused;
 * confined to a thread.
 */
final class PgNumeric {
    private static final int NEGATIVE = 0x4000;
    private static final int NAN = 0xC000;
    private static final int POSITIVE_INFINITY = 0xD000;
    private static final int NEGATIVE_INFINITY = 0xF000;
    private static final int DIGITS_OF_A_LONG = 4;
    private static final long EXACT_IN_DOUBLE = 1L << 53;
    private static final double[] POWERS_OF_10_000 = {1e0, 1e4, 1e8, 1e12, 1e16, 1e20};

    private ByteBuffer row = ByteBuffer.allocate(0);
    private int at;
    private int digits;
    private int weight;
    private int sign;

    long longResult;
    double doubleResult;

    PgNumeric read(ByteBuffer row, int at) {
        this.row = row;
        this.at = at;
        this.digits = row.getShort(at);
        this.weight = row.getShort(at + 2);
        this.sign = row.getShort(at + 4) & 0xFFFF;
        return this;
    }

    /** Exactly, and as PostgreSQL compares: NaN is above all numbers. */
    boolean isAboveHalf() {
        if (isSpecial()) {
            return sign != NEGATIVE_INFINITY;
        }
        if (digits == 0 || sign == NEGATIVE) {
            return false;
        }
        // The first digit is never zero, nor is the last.
        return weight >= 0 || (weight == -1 && (digit(0) > 5000 || (digit(0) == 5000 && digits > 1)));
    }

    /** True if the value is an integer in the 64-bit range. */
    boolean toLong() {
        if (isSpecial()) {
            return false;
        }
        if (digits <= DIGITS_OF_A_LONG && weight < DIGITS_OF_A_LONG && digits <= weight + 1) {
            longResult = smallInteger();
            return true;
        }
        try {
            longResult = bigDecimal().longValueExact();
            return true;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    /** True if the greatest integer not above the value is in the 64-bit range. */
    boolean toFlooredLong() {
        if (toLong()) {
            return true;
        }
        if (isSpecial()) {
            return false;
        }
        try {
            longResult = bigDecimal().setScale(0, java.math.RoundingMode.FLOOR).longValueExact();
            return true;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    /** True unless the value is finite and beyond the range of a double. */
    boolean toDouble() {
        if (isSpecial()) {
            doubleResult = switch (sign) {
                case POSITIVE_INFINITY -> Double.POSITIVE_INFINITY;
                case NEGATIVE_INFINITY -> Double.NEGATIVE_INFINITY;
                default -> Double.NaN;
            };
            return true;
        }
        int exponent = weight - digits + 1;
        if (digits <= DIGITS_OF_A_LONG && Math.abs(exponent) < POWERS_OF_10_000.length) {
            long mantissa = mantissa();
            if (mantissa <= EXACT_IN_DOUBLE) {
                double power = POWERS_OF_10_000[Math.abs(exponent)];
                // One operation on two exact doubles: correctly rounded by IEEE 754.
                double magnitude = exponent < 0 ? mantissa / power : mantissa * power;
                doubleResult = sign == NEGATIVE ? -magnitude : magnitude;
                return true;
            }
        }
        doubleResult = bigDecimal().doubleValue();
        return !Double.isInfinite(doubleResult);
    }

    private boolean isSpecial() {
        return sign == NAN || sign == POSITIVE_INFINITY || sign == NEGATIVE_INFINITY;
    }

    private long smallInteger() {
        long value = mantissa();
        for (int i = digits; i <= weight; i++) {
            value *= 10_000;
        }
        return sign == NEGATIVE ? -value : value;
    }

    private long mantissa() {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            value = value * 10_000 + digit(i);
        }
        return value;
    }

    private BigDecimal bigDecimal() {
        BigInteger value = BigInteger.ZERO;
        BigInteger base = BigInteger.valueOf(10_000);
        for (int i = 0; i < digits; i++) {
            value = value.multiply(base).add(BigInteger.valueOf(digit(i)));
        }
        BigDecimal magnitude = new BigDecimal(value, 4 * (digits - 1 - weight));
        return sign == NEGATIVE ? magnitude.negate() : magnitude;
    }

    private int digit(int index) {
        return row.getShort(at + 8 + 2 * index);
    }
}
