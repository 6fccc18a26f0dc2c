package io.formacdc.manifest;

import io.formacdc.core.RowIdInterval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a schema's listed files lie: base files side by side in row-id order, files without rows, and loose ones, which may
 * hold any version of any row. Every row id belongs to exactly one {@link Slot}. Immutable; made from the manifest alone.
 *
 * @param slots in row-id order, covering every row id
 * @param loose deltas, and whatever is called a base but need not hold each row once, or overlaps another
 * @param withoutRows base files that are known to have no row
 * @param unknownTiers files of tiers that this version does not know, which may hold anything
 */
record BaseLayout(
        List<Slot> slots,
        List<ManifestEntry> loose,
        List<ManifestEntry> withoutRows,
        List<ManifestEntry> unknownTiers) {

    /** Files of less than half the target are small, and some next to each other are written as one. */
    private static final int SMALL_PARTS = 2;

    /** Twice the target is too large: what a split makes is at most one and a half. */
    private static final int LARGE_TIMES = 2;

    /**
     * An interval of row ids, with the base files in it.
     *
     * @param bases one; several if they are to be written as one; none beyond all base files
     */
    record Slot(RowIdInterval interval, List<Base> bases) {
        long bytes() {
            return bases.stream().mapToLong(Base::bytes).sum();
        }

        long rows() {
            return bases.stream().mapToLong(Base::rows).sum();
        }
    }

    /**
     * A base file that holds each of its rows once.
     *
     * @param bytes as listed; 0 when not known
     * @param rows as listed; 0 when not known
     */
    record Base(ManifestEntry entry, UUID min, UUID max, long bytes, long rows) {
        boolean isSmall(long targetBytes) {
            return bytes > 0 && bytes < targetBytes / SMALL_PARTS;
        }

        boolean isLarge(long targetBytes) {
            return bytes >= targetBytes * LARGE_TIMES && rows > 1;
        }
    }

    static BaseLayout of(Manifest manifest, long targetBytes) {
        List<Base> bases = new ArrayList<>();
        List<ManifestEntry> loose = new ArrayList<>();
        List<ManifestEntry> withoutRows = new ArrayList<>();
        List<ManifestEntry> unknownTiers = new ArrayList<>();
        for (ManifestEntry entry : manifest.entries()) {
            Base base = baseOf(entry, manifest.schemaId());
            if (base != null) {
                bases.add(base);
            } else if (entry.level().equals(ManifestEntry.BASE) && isWithoutRows(entry)) {
                withoutRows.add(entry);
            } else if (entry.level().equals(ManifestEntry.BASE) || entry.level().equals(ManifestEntry.DELTA)) {
                loose.add(entry);
            } else {
                unknownTiers.add(entry);
            }
        }
        return new BaseLayout(slots(disjoint(bases, loose), targetBytes), loose, withoutRows, unknownTiers);
    }

    /**
     * A promotion of older deployments calls a delta a base without rewriting it, so that the level alone says little;
     * the shape of the key tells who wrote the file.
     */
    private static @Nullable Base baseOf(ManifestEntry entry, int schemaId) {
        KeyShape shape = KeyShape.ofListed(schemaId, entry.key());
        boolean isSorted = entry.level().equals(ManifestEntry.BASE)
                && (shape == KeyShape.EXPORTED_BASE || shape == KeyShape.COMPACTED_BASE);
        UUID min = uuid(entry.minRowId());
        UUID max = uuid(entry.maxRowId());
        if (!isSorted || min == null || max == null || RowIdInterval.BYTE_ORDER.compare(min, max) > 0) {
            return null;
        }
        return new Base(entry, min, max, orZero(entry.sizeBytes()), orZero(entry.rowCount()));
    }

    static boolean isWithoutRows(ManifestEntry entry) {
        Long rows = entry.rowCount();
        return rows != null && rows == 0 && uuid(entry.minRowId()) == null;
    }

    /** Those that overlap none before them; the others become loose. */
    private static List<Base> disjoint(List<Base> bases, List<ManifestEntry> loose) {
        List<Base> inOrder = new ArrayList<>(bases);
        inOrder.sort(Comparator.comparing(Base::min, RowIdInterval.BYTE_ORDER));
        List<Base> disjoint = new ArrayList<>();
        UUID end = null;
        for (Base base : inOrder) {
            if (end != null && RowIdInterval.BYTE_ORDER.compare(base.min(), end) <= 0) {
                loose.add(base.entry());
            } else {
                disjoint.add(base);
                end = base.max();
            }
        }
        return disjoint;
    }

    /**
     * A base owns what lies between the end of the one before it and its own; the last one, as long as it is below the
     * target, all that comes after it too.
     */
    private static List<Slot> slots(List<Base> bases, long targetBytes) {
        List<Slot> slots = new ArrayList<>();
        UUID after = null;
        int i = 0;
        while (i < bases.size()) {
            List<Base> together = new ArrayList<>(List.of(bases.get(i++)));
            long bytes = together.get(0).bytes();
            while (together.get(0).isSmall(targetBytes)
                    && bytes < targetBytes
                    && i < bases.size()
                    && bases.get(i).isSmall(targetBytes)) {
                bytes += bases.get(i).bytes();
                together.add(bases.get(i++));
            }
            boolean growsOn = i == bases.size() && bytes > 0 && bytes < targetBytes;
            UUID end = growsOn ? null : together.get(together.size() - 1).max();
            slots.add(new Slot(new RowIdInterval(after, end), List.copyOf(together)));
            after = end;
        }
        if (slots.isEmpty() || after != null) {
            slots.add(new Slot(new RowIdInterval(after, null), List.of()));
        }
        return slots;
    }

    /** Whether the base tier is out of shape, whatever the deltas hold. */
    boolean isOutOfShape(long targetBytes) {
        boolean hasRows = slots.stream().anyMatch(slot -> !slot.bases().isEmpty());
        return withoutRows.size() > 1
                || (!withoutRows.isEmpty() && hasRows)
                || slots.stream()
                        .anyMatch(slot -> slot.bases().size() > 1
                                || slot.bases().stream().anyMatch(base -> base.isLarge(targetBytes)));
    }

    private static @Nullable UUID uuid(@Nullable String text) {
        try {
            return text == null || text.length() != 36 ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static long orZero(@Nullable Long value) {
        return value == null ? 0 : value;
    }
}
