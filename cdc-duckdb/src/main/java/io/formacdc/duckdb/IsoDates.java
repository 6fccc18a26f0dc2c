package io.formacdc.duckdb;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** ISO 8601 text to epoch milliseconds: offsets honoured, UTC assumed without one, fractions of a millisecond cut off. */
final class IsoDates {
    /** Also what PostgreSQL prints: a space for T, hours alone as offset, and offsets of old times with seconds. */
    private static final Pattern FORMAT = Pattern.compile("([+-]?\\d{4,9})-(\\d\\d)-(\\d\\d)"
            + "(?:[Tt ](\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d{1,9}))?)?(?: ?([Zz]|[+-]\\d\\d(?::?\\d\\d){0,2}))?)?");

    private static final int NANO_DIGITS = 9;

    private IsoDates() {}

    /**
     * @throws DateTimeException if the text is no date
     * @throws ArithmeticException if the milliseconds do not fit 64 bits
     */
    static long toEpochMillis(String text) {
        Matcher parts = FORMAT.matcher(text.strip());
        if (!parts.matches()) {
            throw new DateTimeException("no date of ISO 8601");
        }
        LocalDate date = LocalDate.of(number(parts.group(1)), number(parts.group(2)), number(parts.group(3)));
        LocalTime time = LocalTime.of(
                number(parts.group(4)), number(parts.group(5)), number(parts.group(6)), nanos(parts.group(7)));
        String offset = parts.group(8);
        return date.atTime(time)
                .toInstant(offset == null ? ZoneOffset.UTC : ZoneOffset.of(offset.toUpperCase(Locale.ROOT)))
                .toEpochMilli();
    }

    private static int number(@Nullable String digits) {
        return digits == null ? 0 : Integer.parseInt(digits);
    }

    private static int nanos(@Nullable String fraction) {
        return fraction == null ? 0 : number(fraction + "0".repeat(NANO_DIGITS - fraction.length()));
    }
}
