package io.formacdc.core;

import java.util.UUID;

/**
 * PostgreSQL's text for an array of UUIDs, 33 bytes each. JDBC's own arrays would need an object and a string for every
 * element, which a million rows do not forgive.
 */
final class UuidArrayText {
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    private final byte[] text;
    private int at;

    /** Room for exactly so many. */
    UuidArrayText(int size) {
        text = new byte[size == 0 ? 2 : Math.addExact(Math.multiplyExact(size, 33), 1)];
        text[at++] = '{';
    }

    void add(UUID id) {
        add(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    void add(long high, long low) {
        if (at > 1) {
            text[at++] = ',';
        }
        addHex(high);
        addHex(low);
    }

    /** The whole; call once all are added. */
    byte[] bytes() {
        text[at] = '}';
        return text;
    }

    private void addHex(long bits) {
        for (int shift = 60; shift >= 0; shift -= 4) {
            text[at++] = HEX[(int) (bits >>> shift) & 15];
        }
    }
}
