package io.formacdc.core;

import java.security.SecureRandom;
import java.util.UUID;

/** Time-ordered unique ids (RFC 9562, version 7) for the objects that this library writes. Thread-safe. */
public final class UuidV7 {
    private static final SecureRandom RANDOM = new SecureRandom();

    private UuidV7() {}

    /** A new id: 48 bits of the current epoch millisecond, 74 random bits. */
    public static UUID next() {
        long high = System.currentTimeMillis() << 16 | 0x7000 | (RANDOM.nextInt() & 0xFFF);
        long low = RANDOM.nextLong() >>> 2 | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }
}
