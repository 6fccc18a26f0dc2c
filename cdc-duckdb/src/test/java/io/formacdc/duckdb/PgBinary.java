package io.formacdc.duckdb;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;

/** Values as PostgreSQL sends them in binary. */
final class PgBinary {
    private static final BigInteger BASE = BigInteger.valueOf(10_000);

    private PgBinary() {}

    /** Any finite number, or NaN, Infinity or -Infinity. */
    static ByteBuffer numeric(String text) {
        return switch (text) {
            case "NaN" -> numeric(0, 0xC000, new int[0]);
            case "Infinity" -> numeric(0, 0xD000, new int[0]);
            case "-Infinity" -> numeric(0, 0xF000, new int[0]);
            default -> numeric(new BigDecimal(text));
        };
    }

    private static ByteBuffer numeric(BigDecimal value) {
        int groupsBehindPoint = (Math.max(0, value.scale()) + 3) / 4;
        BigInteger rest = value.abs()
                .setScale(4 * groupsBehindPoint, RoundingMode.UNNECESSARY)
                .unscaledValue();
        Deque<Integer> digits = new ArrayDeque<>();
        while (rest.signum() > 0) {
            BigInteger[] parts = rest.divideAndRemainder(BASE);
            digits.addFirst(parts[1].intValue());
            rest = parts[0];
        }
        int weight = digits.isEmpty() ? 0 : digits.size() - 1 - groupsBehindPoint;
        while (!digits.isEmpty() && digits.getLast() == 0) {
            digits.removeLast();
        }
        return numeric(
                weight,
                value.signum() < 0 ? 0x4000 : 0,
                digits.stream().mapToInt(i -> i).toArray());
    }

    private static ByteBuffer numeric(int weight, int sign, int[] digits) {
        ByteBuffer bytes = ByteBuffer.allocate(8 + 2 * digits.length);
        bytes.putShort((short) digits.length).putShort((short) weight).putShort((short) sign);
        bytes.putShort((short) 0);
        for (int digit : digits) {
            bytes.putShort((short) digit);
        }
        return bytes.flip();
    }

    static ByteBuffer int2(int value) {
        return ByteBuffer.allocate(2).putShort((short) value).flip();
    }

    static ByteBuffer int4(int value) {
        return ByteBuffer.allocate(4).putInt(value).flip();
    }

    static ByteBuffer int8(long value) {
        return ByteBuffer.allocate(8).putLong(value).flip();
    }

    static ByteBuffer float4(float value) {
        return ByteBuffer.allocate(4).putFloat(value).flip();
    }

    static ByteBuffer float8(double value) {
        return ByteBuffer.allocate(8).putDouble(value).flip();
    }

    static ByteBuffer bool(boolean value) {
        return ByteBuffer.wrap(new byte[] {(byte) (value ? 1 : 0)});
    }

    static ByteBuffer uuid(UUID value) {
        return ByteBuffer.allocate(16)
                .putLong(value.getMostSignificantBits())
                .putLong(value.getLeastSignificantBits())
                .flip();
    }

    static ByteBuffer text(String value) {
        return ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8));
    }

    /** The value between others, so that a conversion that reads beside its bytes is found out. */
    static PgValue valueOf(PgType type, ByteBuffer bytes) {
        int length = bytes.remaining();
        ByteBuffer row = ByteBuffer.allocate(4 + length + 8);
        row.putInt(-1).put(bytes).putLong(-1);
        PgValue value = new PgValue();
        value.set(type, row, 4, length);
        return value;
    }
}
