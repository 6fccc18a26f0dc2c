package io.formacdc.duckdb;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * The scalar attributes of one entity after another, side by side in a column each. Of a scalar that has several rows,
 * the greatest counts. Confined to a thread.
 */
final class EavScalars {
    private static final int NOT_PROJECTED = -1;

    private final List<EavAttribute> attributes;
    private final int firstColumn;
    private final int[] slotById;
    private final LakeType[] types;
    private final long[] lossyCasts;

    /** What the present entity has so far. */
    private final boolean[] present;

    private final long[] longs;
    private final double[] doubles;
    private final byte[] @Nullable [] texts;

    /** @param firstColumn that of the first attribute */
    EavScalars(List<EavAttribute> attributes, int firstColumn) {
        this.attributes = attributes;
        this.firstColumn = firstColumn;
        this.slotById = new int
                [1 + attributes.stream().mapToInt(EavAttribute::attrId).max().orElse(0)];
        Arrays.fill(slotById, NOT_PROJECTED);
        for (int slot = 0; slot < attributes.size(); slot++) {
            slotById[attributes.get(slot).attrId()] = slot;
        }
        this.types = attributes.stream().map(EavAttribute::type).toArray(LakeType[]::new);
        this.lossyCasts = new long[attributes.size()];
        this.present = new boolean[attributes.size()];
        this.longs = new long[attributes.size()];
        this.doubles = new double[attributes.size()];
        this.texts = new byte[attributes.size()][];
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(List<EavAttribute> attributes) {
        List<DuckDBColumnType> types = new ArrayList<>();
        for (EavAttribute attribute : attributes) {
            types.add(
                    switch (attribute.type()) {
                        case VARCHAR -> DuckDBColumnType.VARCHAR;
                        case DOUBLE -> DuckDBColumnType.DOUBLE;
                        case BOOLEAN -> DuckDBColumnType.BOOLEAN;
                        default -> DuckDBColumnType.BIGINT;
                    });
        }
        return types;
    }

    /** Takes a row of the present entity. */
    void put(EavTuple eav, ChunkColumns out, int row) {
        int slot = eav.attrId < 0 || eav.attrId >= slotById.length ? NOT_PROJECTED : slotById[eav.attrId];
        if (slot == NOT_PROJECTED) {
            return;
        }
        LakeType type = types[slot];
        if (!eav.holds(type)) {
            lossyCasts[slot] += eav.hasValue() ? 1 : 0;
            return;
        }
        int column = firstColumn + slot;
        boolean isFirst = !present[slot];
        present[slot] = true;
        if (type == LakeType.VARCHAR) {
            byte[] text = eav.text();
            byte[] before = texts[slot];
            if (isFirst || before == null || Arrays.compareUnsigned(text, before) > 0) {
                texts[slot] = text;
                out.setText(column, row, text);
            }
        } else if (type == LakeType.DOUBLE) {
            // NaN is the greatest, as it is to DuckDB.
            if (isFirst || Double.compare(eav.doubleNumber(), doubles[slot]) > 0) {
                doubles[slot] = eav.doubleNumber();
                out.setDouble(column, row, doubles[slot]);
            }
        } else if (isFirst || eav.longNumber() > longs[slot]) {
            longs[slot] = eav.longNumber();
            if (type == LakeType.BOOLEAN) {
                out.setBoolean(column, row, longs[slot] == 1);
            } else {
                out.setLong(column, row, longs[slot]);
            }
        }
    }

    /** Ends the present entity: what it does not have is NULL. */
    void end(ChunkColumns out, int row) {
        for (int slot = 0; slot < present.length; slot++) {
            if (!present[slot]) {
                out.setNull(firstColumn + slot, row);
            }
            present[slot] = false;
        }
    }

    /** Hands over what was gathered. */
    void finish(CopySource source) {
        for (int slot = 0; slot < lossyCasts.length; slot++) {
            source.addLossyCasts(attributes.get(slot).name(), lossyCasts[slot]);
        }
    }
}
