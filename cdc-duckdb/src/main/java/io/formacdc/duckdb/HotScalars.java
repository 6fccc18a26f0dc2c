package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.duckdb.DuckDBColumnType;

/** The hot columns of one entity after another, converted to the types of the file. Confined to a thread. */
final class HotScalars {
    private final List<HotColumn> hot;
    private final int firstColumn;
    private final PgValue value = new PgValue();
    private final long[] lossyCasts;

    /** @param firstColumn that of the first hot column */
    HotScalars(List<HotColumn> hot, int firstColumn) {
        this.hot = hot;
        this.firstColumn = firstColumn;
        this.lossyCasts = new long[hot.size()];
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(List<HotColumn> hot) {
        List<DuckDBColumnType> types = new ArrayList<>();
        for (HotColumn column : hot) {
            switch (column.targetType()) {
                case UUID -> {
                    types.add(DuckDBColumnType.BIGINT);
                    types.add(DuckDBColumnType.BIGINT);
                }
                case EPOCH_MILLIS -> types.add(DuckDBColumnType.BIGINT);
                default ->
                    types.add(DuckDBColumnType.valueOf(column.targetType().sql()));
            }
        }
        return types;
    }

    /** Takes the fields of an entity, where the tuple stands. */
    void put(ByteBuffer tuple, ChunkColumns out, int row) {
        int column = firstColumn;
        for (int i = 0; i < hot.size(); i++) {
            HotColumn hotColumn = hot.get(i);
            int length = tuple.getInt();
            boolean fits = false;
            if (length >= 0) {
                value.set(hotColumn.wireType(), tuple, tuple.position(), length);
                fits = write(out, hotColumn.targetType(), column, row);
                tuple.position(tuple.position() + length);
                lossyCasts[i] += fits ? 0 : 1;
            }
            if (!fits) {
                setNull(hotColumn, out, column, row);
            }
            column += width(hotColumn);
        }
    }

    /** There is no entity. */
    void putNone(ChunkColumns out, int row) {
        int column = firstColumn;
        for (HotColumn hotColumn : hot) {
            setNull(hotColumn, out, column, row);
            column += width(hotColumn);
        }
    }

    private static int width(HotColumn column) {
        return column.targetType() == LakeType.UUID ? 2 : 1;
    }

    private static void setNull(HotColumn hotColumn, ChunkColumns out, int column, int row) {
        for (int i = 0; i < width(hotColumn); i++) {
            out.setNull(column + i, row);
        }
    }

    private boolean write(ChunkColumns out, LakeType type, int column, int row) {
        switch (type) {
            case VARCHAR -> out.setText(column, row, value.bytes());
            case DOUBLE -> {
                if (!value.toDouble()) {
                    return false;
                }
                out.setDouble(column, row, value.doubleResult);
            }
            case BOOLEAN -> {
                if (!value.toBoolean()) {
                    return false;
                }
                out.setBoolean(column, row, value.longResult != 0);
            }
            case UUID -> {
                UUID uuid = value.toUuid();
                if (uuid == null) {
                    return false;
                }
                out.setUuid(column, row, uuid);
            }
            case EPOCH_MILLIS -> {
                if (!value.toEpochMillis()) {
                    return false;
                }
                out.setLong(column, row, value.longResult);
            }
            case BIGINT, INTEGER, SMALLINT -> {
                if (!value.toLong()) {
                    return false;
                }
                return writeInteger(out, type, column, row, value.longResult);
            }
        }
        return true;
    }

    private static boolean writeInteger(ChunkColumns out, LakeType type, int column, int row, long value) {
        if (type == LakeType.BIGINT) {
            out.setLong(column, row, value);
        } else if (type == LakeType.INTEGER && value == (int) value) {
            out.setInt(column, row, (int) value);
        } else if (type == LakeType.SMALLINT && value == (short) value) {
            out.setShort(column, row, (short) value);
        } else {
            return false;
        }
        return true;
    }

    /** Hands over what was gathered. */
    void finish(CopySource source) {
        for (int i = 0; i < lossyCasts.length; i++) {
            source.addLossyCasts(hot.get(i).name(), lossyCasts[i]);
        }
    }
}
