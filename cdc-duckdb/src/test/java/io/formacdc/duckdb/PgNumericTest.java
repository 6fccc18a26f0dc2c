package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PgNumericTest {
    private static final BigInteger MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX = BigInteger.valueOf(Long.MAX_VALUE);

    private static PgNumeric numeric(String text) {
        return new PgNumeric().read(PgBinary.numeric(text), 0);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "-1, -1",
        "9999, 9999",
        "10000, 10000",
        "-100000000, -100000000",
        "9007199254740993, 9007199254740993",
        "1000000000000000000, 1000000000000000000",
        "9223372036854775807, 9223372036854775807",
        "-9223372036854775808, -9223372036854775808",
        "12.000, 12",
        "0.0000, 0",
        "1e18, 1000000000000000000"
    })
    void integersIn64BitsAreExact(String text, long expected) {
        PgNumeric numeric = numeric(text);
        assertThat(numeric.toLong()).isTrue();
        assertThat(numeric.longResult).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9223372036854775808",
                "-9223372036854775809",
                "12345678901234567890",
                "1e400",
                "0.5",
                "-0.0001",
                "1e-400",
                "9007199254740993.1",
                "NaN",
                "Infinity",
                "-Infinity"
            })
    void whatIsNoIntegerIn64BitsIsNoLong(String text) {
        assertThat(numeric(text).toLong()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0.1, 0.1",
        "-2.5, -2.5",
        "9007199254740993, 9007199254740992",
        "9007199254740993.0000000000000000001, 9007199254740994",
        "12345678901234567890, 1.2345678901234567e19",
        "123456789.987654321, 123456789.987654321",
        "1.7976931348623157e308, 1.7976931348623157e308",
        "4.9e-324, 4.9e-324",
        "1e-400, 0",
        "NaN, NaN",
        "Infinity, Infinity",
        "-Infinity, -Infinity"
    })
    void doublesAreTheNearest(String text, Double expected) {
        PgNumeric numeric = numeric(text);
        assertThat(numeric.toDouble()).isTrue();
        assertThat(Double.valueOf(numeric.doubleResult)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e400", "-1e400", "1e1000"})
    void whatIsBeyondADoubleDoesNotBecomeInfinity(String text) {
        assertThat(numeric(text).toDouble()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "1700000000123.999, 1700000000123",
        "-0.001, -1",
        "-1.5, -2",
        "-2, -2",
        "9223372036854775807.9, 9223372036854775807"
    })
    void flooredIsTheGreatestIntegerNotAbove(String text, long expected) {
        PgNumeric numeric = numeric(text);
        assertThat(numeric.toFlooredLong()).isTrue();
        assertThat(numeric.longResult).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775808", "-9223372036854775808.1", "1e400", "NaN", "Infinity"})
    void flooredDoesNotWrapAround(String text) {
        assertThat(numeric(text).toFlooredLong()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0, false",
        "0.3, false",
        "0.5, false",
        "0.50000000000000000000000001, true",
        "0.51, true",
        "0.05, false",
        "0.00005001, false",
        "1, true",
        "10000, true",
        "-1, false",
        "-0.7, false",
        "1e400, true",
        "-1e400, false",
        "NaN, true",
        "Infinity, true",
        "-Infinity, false"
    })
    void comparesWithOneHalfAsPostgresDoes(String text, boolean expected) {
        assertThat(numeric(text).isAboveHalf()).isEqualTo(expected);
    }

    @Test
    void agreesWithBigDecimalOnManyValues() {
        Random random = new Random(7);
        for (int i = 0; i < 5_000; i++) {
            BigDecimal value = randomValue(random);
            PgNumeric numeric = numeric(value.toString());
            assertThat(numeric.toDouble()).as("%s as double", value).isTrue();
            assertThat(numeric.doubleResult)
                    .as("%s as double", value)
                    .isEqualTo(Double.parseDouble(value.toString()) + 0.0);
            boolean isInteger = value.stripTrailingZeros().scale() <= 0;
            assertThat(numeric.toLong()).as("%s as long", value).isEqualTo(isInteger && fits(value.toBigInteger()));
            if (numeric.toLong()) {
                assertThat(numeric.longResult).as("%s as long", value).isEqualTo(value.longValue());
            }
            BigInteger floor = value.setScale(0, RoundingMode.FLOOR).toBigInteger();
            assertThat(numeric.toFlooredLong()).as("%s floored", value).isEqualTo(fits(floor));
            if (fits(floor)) {
                assertThat(numeric.longResult).as("%s floored", value).isEqualTo(floor.longValue());
            }
            assertThat(numeric.isAboveHalf())
                    .as("%s > 0.5", value)
                    .isEqualTo(value.compareTo(new BigDecimal("0.5")) > 0);
        }
    }

    /** Of 1 to 90 bits, with 0 to 30 decimal places, often with zeros behind. */
    private static BigDecimal randomValue(Random random) {
        BigInteger unscaled = new BigInteger(1 + random.nextInt(90), random);
        BigDecimal value = new BigDecimal(unscaled, random.nextInt(4) == 0 ? 0 : random.nextInt(31));
        if (random.nextInt(4) == 0) {
            value = value.multiply(BigDecimal.TEN.pow(random.nextInt(12)));
        }
        return random.nextBoolean() ? value : value.negate();
    }

    private static boolean fits(BigInteger value) {
        return value.compareTo(MIN) >= 0 && value.compareTo(MAX) <= 0;
    }
}
