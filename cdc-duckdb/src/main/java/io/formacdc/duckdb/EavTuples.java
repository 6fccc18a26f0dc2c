package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.duckdb.DuckDBColumnType;

/**
 * Rows of {@code eav_data}: fields row_id, attr_id, array_indices, value_text, value_numeric. A value goes into the one
 * column of its declared type, so that DuckDB pivots without a cast. Rows of attributes that are not projected are
 * passed over.
 */
final class EavTuples implements TupleWriter {
    static final int ATTR_ID = 2;
    static final int TEXT = 3;
    static final int DOUBLE = 4;
    /** Integers, epoch milliseconds, and booleans as one or zero. */
    static final int LONG = 5;
    /** With lists: the first number of array_indices; before all items for none. */
    static final int ITEM_ORDER = 6;
    /** With lists: further numbers of nested indices, two at the most, folded into one. */
    static final int ITEM_SUB_ORDER = 7;
    /** With lists: true on the row that stands for an empty list. */
    static final int EMPTY_MARKER = 8;
    /** Without metadata: array_indices as it is. */
    static final int ARRAY_INDICES = 6;

    private static final int FIELDS = 5;
    static final String GENERIC = "attributes";

    private final boolean generic;
    private final boolean hasLists;
    private final PgType numericType;
    private final CopySource source;
    private final Map<Short, EavAttribute> byId = new HashMap<>();
    private final Map<String, Long> lossyCasts = new HashMap<>();
    private final PgValue value = new PgValue();

    EavTuples(Projection projection, CopySource source) {
        this.generic = projection.generic();
        this.hasLists = projection.hasLists();
        this.numericType = projection.valueNumericType();
        this.source = source;
        projection.eav().forEach(a -> byId.put((short) a.attrId(), a));
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(Projection projection) {
        List<DuckDBColumnType> types = new ArrayList<>(List.of(
                DuckDBColumnType.BIGINT,
                DuckDBColumnType.BIGINT,
                DuckDBColumnType.SMALLINT,
                DuckDBColumnType.VARCHAR,
                DuckDBColumnType.DOUBLE,
                DuckDBColumnType.BIGINT));
        if (projection.generic()) {
            types.add(DuckDBColumnType.VARCHAR);
        } else if (projection.hasLists()) {
            types.addAll(List.of(DuckDBColumnType.BIGINT, DuckDBColumnType.BIGINT, DuckDBColumnType.BOOLEAN));
        }
        return types;
    }

    @Override
    public boolean write(ByteBuffer tuple, ChunkColumns out, int row) {
        if (tuple.getShort() != FIELDS) {
            throw new IllegalStateException("the server sent a tuple of another shape");
        }
        long idHigh = tuple.position(tuple.position() + 4).getLong();
        long idLow = tuple.getLong();
        tuple.getInt();
        short attrId = tuple.getShort();
        EavAttribute attribute = byId.get(attrId);
        if (attribute == null && !generic) {
            return false;
        }
        int indicesLength = tuple.getInt();
        int indicesAt = tuple.position();
        int textLength = tuple.position(indicesAt + indicesLength).getInt();
        int textAt = tuple.position();
        int numberLength = tuple.position(textAt + Math.max(0, textLength)).getInt();
        int numberAt = tuple.position();

        out.setLong(0, row, idHigh);
        out.setLong(1, row, idLow);
        out.setShort(ATTR_ID, row, attrId);
        out.setNull(LONG, row);
        if (attribute == null) {
            writeAsItIs(out, row, tuple, textAt, textLength, numberAt, numberLength);
            value.set(PgType.TEXT, tuple, indicesAt, indicesLength);
            out.setText(ARRAY_INDICES, row, value.bytes());
            return true;
        }
        boolean fits = writeTyped(out, row, attribute.type(), tuple, textAt, textLength, numberAt, numberLength);
        if (!fits) {
            lossyCasts.merge(attribute.name(), 1L, Long::sum);
        }
        if (hasLists) {
            value.set(PgType.TEXT, tuple, indicesAt, indicesLength);
            String indices = new String(value.bytes(), StandardCharsets.UTF_8);
            out.setLong(ITEM_ORDER, row, itemOrder(indices));
            out.setLong(ITEM_SUB_ORDER, row, itemSubOrder(indices));
            out.setBoolean(EMPTY_MARKER, row, indicesLength == 0 && textLength < 0 && numberLength < 0);
        }
        return true;
    }

    private void writeAsItIs(
            ChunkColumns out, int row, ByteBuffer tuple, int textAt, int textLength, int numberAt, int numberLength) {
        if (textLength < 0) {
            out.setNull(TEXT, row);
        } else {
            value.set(PgType.TEXT, tuple, textAt, textLength);
            out.setText(TEXT, row, value.bytes());
        }
        boolean present = numberLength >= 0;
        value.set(numericType, tuple, numberAt, numberLength);
        if (present && value.toDouble()) {
            out.setDouble(DOUBLE, row, value.doubleResult);
        } else {
            out.setNull(DOUBLE, row);
            if (present) {
                lossyCasts.merge(GENERIC, 1L, Long::sum);
            }
        }
    }

    /** Returns false if there is a value that the declared type cannot take. */
    private boolean writeTyped(
            ChunkColumns out,
            int row,
            LakeType type,
            ByteBuffer tuple,
            int textAt,
            int textLength,
            int numberAt,
            int numberLength) {
        out.setNull(TEXT, row);
        out.setNull(DOUBLE, row);
        if (type == LakeType.VARCHAR) {
            if (textLength >= 0) {
                value.set(PgType.TEXT, tuple, textAt, textLength);
                out.setText(TEXT, row, value.bytes());
            }
            return textLength >= 0 || numberLength < 0;
        }
        if (numberLength < 0) {
            return textLength < 0;
        }
        value.set(numericType, tuple, numberAt, numberLength);
        boolean fits = switch (type) {
            case DOUBLE -> value.toDouble();
            case BOOLEAN -> value.toBoolean();
            case EPOCH_MILLIS -> value.toEpochMillis();
            default -> value.toLong();
        };
        if (fits && type == LakeType.DOUBLE) {
            out.setDouble(DOUBLE, row, value.doubleResult);
        } else if (fits) {
            out.setLong(LONG, row, value.longResult);
        }
        return fits;
    }

    /** The first number of {@code array_indices}; before all items for none. */
    static long itemOrder(String indices) {
        return indices.isEmpty() ? -1 : number(numbers(indices)[0]);
    }

    /** Its further numbers, two at the most, folded into one. */
    static long itemSubOrder(String indices) {
        long rest = 0;
        String[] numbers = numbers(indices);
        for (int i = 1; i < numbers.length; i++) {
            rest = (rest << 31) | (number(numbers[i]) & Integer.MAX_VALUE);
        }
        return rest;
    }

    private static String[] numbers(String indices) {
        return indices.split("[^0-9]+", -1);
    }

    /** What is no number sorts behind all that are. */
    private static long number(String digits) {
        return digits.isEmpty() || digits.length() > 18 ? Long.MAX_VALUE : Long.parseLong(digits);
    }

    @Override
    public void finish() {
        lossyCasts.forEach(source::addLossyCasts);
    }
}
