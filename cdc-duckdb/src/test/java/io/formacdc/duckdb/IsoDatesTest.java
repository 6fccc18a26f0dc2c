package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IsoDatesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "2024-02-29T12:34:56Z",
                "2024-02-29T12:34:56z",
                "2024-02-29t12:34:56",
                "2024-02-29 12:34:56",
                "2024-02-29 12:34:56 Z",
                "2024-02-29T12:34:56+00",
                "2024-02-29T14:34:56+02:00",
                "2024-02-29T14:34:56+0200",
                "2024-02-29T14:34:56+02",
                "2024-02-29 14:34:56 +02:00",
                "2024-02-29T07:04:56-05:30",
                "2024-02-29T13:28:24+00:53:28",
                "2024-03-01T02:34:56+14:00",
                "  2024-02-29T12:34:56.000000000Z "
            })
    void everySpellingOfAnInstantIsThatInstant(String text) {
        assertThat(IsoDates.toEpochMillis(text)).isEqualTo(1_709_210_096_000L);
    }

    @ParameterizedTest
    @CsvSource({
        "1970-01-01, 0",
        "2024-02-29, 1709164800000",
        "2024-02-29T12:34, 1709210040000",
        "2024-02-29T12:34+02:00, 1709202840000",
        "1970-01-01T00:00:00.1, 100",
        "1970-01-01T00:00:00.123, 123",
        "1970-01-01T00:00:00.123456, 123",
        "1970-01-01T00:00:00.123999999, 123",
        "1969-12-31T23:59:59.9995, -1",
        "1969-12-31T23:59:59, -1000",
        "1969-12-31T23:59:58.9991, -1001",
        "0001-01-01, -62135596800000",
        "0001-01-01T00:53:28+00:53:28, -62135596800000",
        "9999-12-31T23:59:59.999Z, 253402300799999",
        "+12345-01-01, 327403382400000",
        "10000-01-01, 253402300800000",
        "-0001-01-01, -62198755200000"
    })
    void isEpochMilliseconds(String text, long expected) {
        assertThat(IsoDates.toEpochMillis(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "yesterday",
                "1709210096000",
                "2023-02-29",
                "2024-13-01",
                "2024-00-10",
                "2024-2-9",
                "24-02-29",
                "2024-02-29T",
                "2024-02-2912:34:56",
                "2024-02-29T 12:34:56",
                "2024-02-29T12",
                "2024-02-29T12:34.5",
                "2024-02-29T25:00:00",
                "2024-02-29T12:34:60",
                "2024-02-29T12:34:56.",
                "2024-02-29T12:34:56.1234567890",
                "2024-02-29T12:34:56ZZ",
                "2024-02-29T12:34:56+0200+02",
                "2024-02-29T12:34:56+02:0030",
                "2024-02-29T12:34:56+19:00",
                "2024-02-29T12:34:56 UTC",
                "2024-02-29Z",
                "0044-03-15 BC",
                "infinity"
            })
    void whatIsNoDateIsRefused(String text) {
        assertThatThrownBy(() -> IsoDates.toEpochMillis(text)).isInstanceOf(DateTimeException.class);
    }

    @Test
    void millisecondsBeyond64BitsAreRefused() {
        assertThatThrownBy(() -> IsoDates.toEpochMillis("999999999-01-01")).isInstanceOf(ArithmeticException.class);
    }
}
