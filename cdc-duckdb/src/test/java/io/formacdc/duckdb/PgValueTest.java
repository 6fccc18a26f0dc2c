package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PgValueTest {
    private static final String ID = "fedcba98-7654-3210-8000-0123456789ab";

    /** The bytes of a value that is written as {@code type:text}. */
    private static PgValue value(String typed) {
        String[] parts = typed.split(":", 2);
        PgType type = PgType.valueOf(parts[0].toUpperCase(Locale.ROOT));
        String text = parts[1];
        ByteBuffer bytes = switch (type) {
            case INT2 -> PgBinary.int2(Integer.parseInt(text));
            case INT4 -> PgBinary.int4(Integer.parseInt(text));
            case INT8 -> PgBinary.int8(Long.parseLong(text));
            case FLOAT4 -> PgBinary.float4(Float.parseFloat(text));
            case FLOAT8 -> PgBinary.float8(Double.parseDouble(text));
            case NUMERIC -> PgBinary.numeric(text);
            case BOOL -> PgBinary.bool(Boolean.parseBoolean(text));
            case UUID -> PgBinary.uuid(UUID.fromString(text));
            case TEXT, OTHER -> PgBinary.text(text);
        };
        return PgBinary.valueOf(type, bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "int2:-32768, -32768",
        "int4:2147483647, 2147483647",
        "int8:-9223372036854775808, -9223372036854775808",
        "int8:9223372036854775807, 9223372036854775807",
        "bool:true, 1",
        "bool:false, 0",
        "float4:-3, -3",
        "float4:0.5,",
        "float8:9007199254740992, 9007199254740992",
        "float8:-9223372036854775808, -9223372036854775808",
        "float8:9223372036854775807,",
        "float8:NaN,",
        "float8:-Infinity,",
        "float8:1.5,",
        "numeric:9007199254740993, 9007199254740993",
        "numeric:1.5,",
        "numeric:9223372036854775808,",
        "text:42, 42",
        "'text: -42 ', -42",
        "text:1e3, 1000",
        "text:7.0, 7",
        "text:7.5,",
        "text:9223372036854775808,",
        "text:1e999999999,",
        "text:,",
        "text:seven,",
        "uuid:" + ID + ","
    })
    void toLong(String typed, @Nullable Long expected) {
        PgValue value = value(typed);
        assertThat(value.toLong() ? value.longResult : null).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "int2:-2, -2",
        "int4:7, 7",
        "int8:9007199254740993, 9007199254740992",
        "bool:true, 1",
        "float4:0.1, 0.10000000149011612",
        "float8:0.1, 0.1",
        "float8:NaN, NaN",
        "float8:Infinity, Infinity",
        "numeric:0.1, 0.1",
        "numeric:-Infinity, -Infinity",
        "numeric:1e400,",
        "text:0.1, 0.1",
        "'text: -1.5e3 ', -1500",
        "text:NaN, NaN",
        "text:-Infinity, -Infinity",
        "text:1e400,",
        "text:1d,",
        "text:0x1p3,",
        "text:,",
        "uuid:" + ID + ","
    })
    void toDouble(String typed, @Nullable Double expected) {
        PgValue value = value(typed);
        assertThat(value.toDouble() ? value.doubleResult : null).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "int2:2, true",
        "int2:1, true",
        "int2:0, false",
        "int2:-1, false",
        "int4:1, true",
        "int8:0, false",
        "bool:true, true",
        "bool:false, false",
        "float4:0.5, false",
        "float4:0.51, true",
        "float8:0.5, false",
        "float8:0.5000001, true",
        "float8:NaN, true",
        "numeric:0.3, false",
        "numeric:0.5, false",
        "numeric:0.51, true",
        "numeric:1e400, true",
        "numeric:-1e400, false",
        "text:1, true",
        "text:true, true",
        "text:TRUE, false",
        "text:0, false",
        "text:, false",
        "text:2, false",
        "other:true, true",
        "uuid:" + ID + ","
    })
    void toBoolean(String typed, @Nullable Boolean expected) {
        PgValue value = value(typed);
        assertThat(value.toBoolean() ? Boolean.valueOf(value.longResult == 1) : null)
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "int8:1700000000123, 1700000000123",
        "int8:-1, -1",
        "int4:5, 5",
        "float8:1700000000123.75, 1700000000123",
        "float8:-0.5, -1",
        "float8:1e30,",
        "float8:NaN,",
        "numeric:-0.5, -1",
        "numeric:1e30,",
        "text:1970-01-01T00:00:01+00:00, 1000",
        "text:1970-01-02, 86400000",
        "text:999999999-01-01,",
        "text:1700000000123,",
        "text:,",
        "other:1970-01-01 00:00:00.5+00, 500",
        "uuid:" + ID + ","
    })
    void toEpochMillis(String typed, @Nullable Long expected) {
        PgValue value = value(typed);
        assertThat(value.toEpochMillis() ? value.longResult : null).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "uuid:" + ID + ", " + ID,
        "text:" + ID + ", " + ID,
        "text:FEDCBA98-7654-3210-8000-0123456789AB, " + ID,
        "text:{" + ID + "},",
        "text:fedcba98765432108000-0123456789ab-1-1,",
        "text:0fedcba98-7654-3210-8000-123456789ab,",
        "text:1-1-1-1-1,",
        "text:,",
        "int8:1,"
    })
    void toUuid(String typed, @Nullable String expected) {
        assertThat(value(typed).toUuid()).isEqualTo(expected == null ? null : UUID.fromString(expected));
    }

    @Test
    void bytesAreThoseOfTheValueAlone() {
        assertThat(new String(value("text:aé😀").bytes(), StandardCharsets.UTF_8))
                .isEqualTo("aé😀");
        assertThat(value("text:").bytes()).isEmpty();
    }
}
