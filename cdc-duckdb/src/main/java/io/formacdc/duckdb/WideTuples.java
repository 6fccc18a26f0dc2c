package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * Entities with their attributes of {@code eav_data} beside them. The server sends both in the order of row ids, so a row
 * is whole as soon as it is read, and DuckDB has nothing to join and nothing to pivot. For scalars alone. Should a
 * scalar have several rows, the greatest counts.
 */
final class WideTuples implements TupleWriter {
    private static final int FIELDS = 5;
    private static final int NOT_PROJECTED = -1;

    private final EntityTuples entities;
    private final CopySource source;
    private final List<EavAttribute> attributes;
    private final int firstColumn;
    private final PgType numericType;
    private final int[] slotById;
    private final PgValue value = new PgValue();
    private final long[] lossyCasts;

    private final boolean[] present;
    private final long[] longs;
    private final double[] doubles;
    private final byte[] @Nullable [] texts;

    private @Nullable CopyStream stream;
    private @Nullable ByteBuffer next;
    private long nextHigh;
    private long nextLow;
    private @Nullable UUID last;

    /** @param entities writes the columns before those of the attributes */
    WideTuples(EntityTuples entities, Projection projection, CopySource source) {
        this.entities = entities;
        this.source = source;
        this.attributes = projection.eav();
        this.firstColumn = EntityTuples.columns(projection.hot()).size();
        this.numericType = projection.valueNumericType();
        this.slotById = new int
                [1 + attributes.stream().mapToInt(EavAttribute::attrId).max().orElse(0)];
        Arrays.fill(slotById, NOT_PROJECTED);
        for (int slot = 0; slot < attributes.size(); slot++) {
            slotById[attributes.get(slot).attrId()] = slot;
        }
        this.lossyCasts = new long[attributes.size()];
        this.present = new boolean[attributes.size()];
        this.longs = new long[attributes.size()];
        this.doubles = new double[attributes.size()];
        this.texts = new byte[attributes.size()][];
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(Projection projection) {
        List<DuckDBColumnType> types = new ArrayList<>(EntityTuples.columns(projection.hot()));
        projection
                .eav()
                .forEach(a -> types.add(DuckDBColumnType.valueOf(a.type().sql())));
        return types;
    }

    /** Begins a range, of which this stream has the attributes. */
    @Override
    public void begin(CopyStream attributesOfRange) throws SQLException {
        stream = attributesOfRange;
        last = null;
        advance();
    }

    /** @throws IllegalStateException if attributes are left over, so the two streams were not of the same rows */
    @Override
    public void end() {
        if (next != null) {
            throw outOfOrder();
        }
    }

    @Override
    public boolean write(ByteBuffer tuple, ChunkColumns out, int row) throws SQLException {
        // Behind the count of fields and the length of the first one.
        UUID id = new UUID(tuple.getLong(tuple.position() + 6), tuple.getLong(tuple.position() + 14));
        if (last != null && RowIdInterval.BYTE_ORDER.compare(last, id) >= 0) {
            throw outOfOrder();
        }
        last = id;
        Arrays.fill(present, false);
        while (next != null && nextHigh == id.getMostSignificantBits() && nextLow == id.getLeastSignificantBits()) {
            take(next);
            advance();
        }
        entities.write(tuple, out, row);
        for (int slot = 0; slot < present.length; slot++) {
            writeSlot(out, row, slot);
        }
        return true;
    }

    private void advance() throws SQLException {
        ByteBuffer tuple = stream == null ? null : stream.next();
        if (tuple != null) {
            if (tuple.getShort() != FIELDS) {
                throw new IllegalStateException("the server sent a tuple of another shape");
            }
            nextHigh = tuple.position(tuple.position() + 4).getLong();
            nextLow = tuple.getLong();
        }
        next = tuple;
    }

    private void take(ByteBuffer tuple) {
        tuple.getInt();
        int id = tuple.getShort();
        int slot = id < 0 || id >= slotById.length ? NOT_PROJECTED : slotById[id];
        if (slot == NOT_PROJECTED) {
            return;
        }
        int indicesLength = tuple.getInt();
        int textLength = tuple.position(tuple.position() + indicesLength).getInt();
        int textAt = tuple.position();
        int numberLength = tuple.position(textAt + Math.max(0, textLength)).getInt();
        LakeType type = attributes.get(slot).type();
        int lengthOfType = type == LakeType.VARCHAR ? textLength : numberLength;
        boolean fits = lengthOfType >= 0;
        if (fits) {
            if (type == LakeType.VARCHAR) {
                value.set(PgType.TEXT, tuple, textAt, textLength);
            } else {
                value.set(numericType, tuple, tuple.position(), numberLength);
            }
            fits = keepGreatest(slot, type);
        }
        if (!fits && (textLength >= 0 || numberLength >= 0)) {
            lossyCasts[slot]++;
        }
    }

    /** Returns false if the value does not fit the type. */
    private boolean keepGreatest(int slot, LakeType type) {
        boolean fits = switch (type) {
            case VARCHAR -> true;
            case DOUBLE -> value.toDouble();
            case BOOLEAN -> value.toBoolean();
            case EPOCH_MILLIS -> value.toEpochMillis();
            default -> value.toLong();
        };
        if (!fits) {
            return false;
        }
        boolean first = !present[slot];
        present[slot] = true;
        if (type == LakeType.VARCHAR) {
            byte[] text = value.bytes();
            byte[] before = texts[slot];
            if (first || before == null || Arrays.compareUnsigned(text, before) > 0) {
                texts[slot] = text;
            }
        } else if (type == LakeType.DOUBLE) {
            // NaN is the greatest, here as in DuckDB.
            doubles[slot] =
                    first || Double.compare(value.doubleResult, doubles[slot]) > 0 ? value.doubleResult : doubles[slot];
        } else {
            longs[slot] = first ? value.longResult : Math.max(longs[slot], value.longResult);
        }
        return true;
    }

    private void writeSlot(ChunkColumns out, int row, int slot) {
        int column = firstColumn + slot;
        if (!present[slot]) {
            out.setNull(column, row);
            return;
        }
        switch (attributes.get(slot).type()) {
            case VARCHAR -> out.setText(column, row, texts[slot]);
            case DOUBLE -> out.setDouble(column, row, doubles[slot]);
            case BOOLEAN -> out.setBoolean(column, row, longs[slot] != 0);
            default -> out.setLong(column, row, longs[slot]);
        }
    }

    private IllegalStateException outOfOrder() {
        return new IllegalStateException("the server sent entities and attributes in different orders, near " + last);
    }

    @Override
    public void finish() {
        entities.finish();
        for (int slot = 0; slot < lossyCasts.length; slot++) {
            source.addLossyCasts(attributes.get(slot).name(), lossyCasts[slot]);
        }
    }
}
