package io.formacdc.duckdb;

import io.formacdc.core.RowVersions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * Rows of the change log or of {@code entity_main}, with the hot columns: fields row_id, changed_at, deleted_at, xmin,
 * created, updated, deleted, then the hot columns, into theXX */
final class EntityTuples implements TupleWriter {
    private static final int SYSTEM_FIELDS = 7;
    /** Two for the row id, then changed_at, deleted_at and the three of {@code entity_main}. */
    static final int FIRST_HOT_COLUMN = 7;

    private final List<HotColumn> hot;
    private final CopySource source;
    private final RowVersions.@Nullable Collector versions;
    private final PgValue value = new PgValue();
    private final long[] lossyCasts;

    /** @param versions where to remember them; null where nobody asks, because that takes memory for each row */
    EntityTuples(List<HotColumn> hot, CopySource source, RowVersions.@Nullable Collector versions) {
        this.hot = hot;
        this.versions = versions;
        this.source = source;
        this.lossyCasts = new long[hot.size()];
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(List<HotColumn> hot) {
        List<DuckDBColumnType> types = new ArrayList<>();
        for (int i = 0; i < FIRST_HOT_COLUMN; i++) {
            types.add(DuckDBColumnType.BIGINT);
        }
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

    @Override
    public boolean write(ByteBuffer tuple, ChunkColumns out, int row) {
        int fields = tuple.getShort();
        if (fields != SYSTEM_FIELDS + hot.size()) {
            throw new IllegalStateException("the server sent " + fields + " fields");
        }
        long idHigh = tuple.position(tuple.position() + 4).getLong();
        long idLow = tuple.getLong();
        tuple.getInt();
        long changedAt = tuple.getLong();
        out.setLong(0, row, idHigh);
        out.setLong(1, row, idLow);
        out.setLong(2, row, changedAt);
        // A live row has 0 in Parquet, never NULL, so that ties are decided alike everywhere.
        out.setLong(3, row, tuple.getInt() < 0 ? 0 : Math.max(0, tuple.getLong()));
        tuple.getInt();
        int xmin = tuple.getInt();
        if (versions != null) {
            versions.add(idHigh, idLow, changedAt, xmin);
        }
        for (int column = 4; column < FIRST_HOT_COLUMN; column++) {
            if (tuple.getInt() < 0) {
                out.setNull(column, row);
            } else {
                out.setLong(column, row, tuple.getLong());
            }
        }
        writeHotColumns(out, tuple, row);
        return true;
    }

    private void writeHotColumns(ChunkColumns out, ByteBuffer tuple, int row) {
        int column = FIRST_HOT_COLUMN;
        for (int i = 0; i < hot.size(); i++) {
            HotColumn hotColumn = hot.get(i);
            boolean isUuid = hotColumn.targetType() == LakeType.UUID;
            int length = tuple.getInt();
            boolean fits = false;
            if (length >= 0) {
                value.set(hotColumn.wireType(), tuple, tuple.position(), length);
                fits = write(out, hotColumn.targetType(), column, row);
                tuple.position(tuple.position() + length);
                lossyCasts[i] += fits ? 0 : 1;
            }
            if (!fits) {
                out.setNull(column, row);
                if (isUuid) {
                    out.setNull(column + 1, row);
                }
            }
            column += isUuid ? 2 : 1;
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

    @Override
    public void finish() {
        if (versions != null) {
            source.addVersions(versions);
        }
        for (int i = 0; i < lossyCasts.length; i++) {
            source.addLossyCasts(hot.get(i).name(), lossyCasts[i]);
        }
    }
}
