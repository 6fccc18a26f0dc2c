package io.formacdc.core;

import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * Exactly which row versions a file holds: for each dirty row its id, its {@code changed_at} and the {@code xmin} of
 * its {@code change_log} tuple. Kept in flat arrays, 28 bytes a row. Immutable.
 */
public final class RowVersions {
    private final long[] idHighs;
    private final long[] idLows;
    private final long[] changedAtMillis;
    private final int[] xmins;

    private RowVersions(long[] idHighs, long[] idLows, long[] changedAtMillis, int[] xmins) {
        this.idHighs = idHighs;
        this.idLows = idLows;
        this.changedAtMillis = changedAtMillis;
        this.xmins = xmins;
    }

    /** All rows of several collectors. */
    public static RowVersions of(List<Collector> collectors) {
        int size = collectors.stream().mapToInt(c -> c.size).reduce(0, Math::addExact);
        RowVersions all = new RowVersions(new long[size], new long[size], new long[size], new int[size]);
        int at = 0;
        for (Collector part : collectors) {
            System.arraycopy(part.idHighs, 0, all.idHighs, at, part.size);
            System.arraycopy(part.idLows, 0, all.idLows, at, part.size);
            System.arraycopy(part.changedAtMillis, 0, all.changedAtMillis, at, part.size);
            System.arraycopy(part.xmins, 0, all.xmins, at, part.size);
            at += part.size;
        }
        return all;
    }

    public int size() {
        return idHighs.length;
    }

    public UUID rowId(int index) {
        return new UUID(idHighs[index], idLows[index]);
    }

    public long changedAtMillis(int index) {
        return changedAtMillis[index];
    }

    /** The transaction id that wrote the tuple, as an unsigned 32-bit number. */
    public long xmin(int index) {
        return Integer.toUnsignedLong(xmins[index]);
    }

    /** All row ids, as PostgreSQL's text for an array. */
    byte[] rowIdsAsArrayText() {
        UuidArrayText text = new UuidArrayText(size());
        for (int i = 0; i < size(); i++) {
            text.add(idHighs[i], idLows[i]);
        }
        return text.bytes();
    }

    /** All versions, not copied. */
    long[] changedAtMillis() {
        return changedAtMillis;
    }

    /** All {@code xmin}, not copied; those from 2^31 on are negative. */
    int[] xmins() {
        return xmins;
    }

    /** Gathers rows while they stream by. Confined to a thread. */
    public static final class Collector {
        private long[] idHighs = new long[1024];
        private long[] idLows = new long[1024];
        private long[] changedAtMillis = new long[1024];
        private int[] xmins = new int[1024];
        private int size;

        public void add(long idHigh, long idLow, long changedAt, int xmin) {
            if (size == idHighs.length) {
                int capacity = size + (size >> 1);
                idHighs = Arrays.copyOf(idHighs, capacity);
                idLows = Arrays.copyOf(idLows, capacity);
                changedAtMillis = Arrays.copyOf(changedAtMillis, capacity);
                xmins = Arrays.copyOf(xmins, capacity);
            }
            idHighs[size] = idHigh;
            idLows[size] = idLow;
            changedAtMillis[size] = changedAt;
            xmins[size] = xmin;
            size++;
        }
    }
}
