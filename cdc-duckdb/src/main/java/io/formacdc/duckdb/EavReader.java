package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rows of {@code eav_data} of the exported entities, one by one, in no order. A value goes into the one column
 * of its declared type, so that DuckDB pivots without a cast. Rows of attributes that are not projected are passed over.
 */
final class EavReader implements RangeReader {
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

    static final String GENERIC = "attributes";

    private final boolean generic;
    private final CopySource source;
    private final PgSnapshot snapshot;
    private final Map<Short, EavAttribute> byId = new HashMap<>();
    private final Map<String, Long> lossyCasts = new HashMap<>();
    private final EavTuple eav;
    private final ExportedRows rows;
    private @Nullable Connection connection;
    private @Nullable CopyStream stream;

    EavReader(CopySource source, PgSnapshot snapshot, ExportedRows rows, Projection projection) {
        this.snapshot = snapshot;
        this.rows = rows;
        this.generic = projection.generic();
        this.eav = new EavTuple(EavTuple.Indices.READ, projection.valueNumericType());
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
        } else {
            types.addAll(List.of(DuckDBColumnType.BIGINT, DuckDBColumnType.BIGINT, DuckDBColumnType.BOOLEAN));
        }
        return types;
    }

    @Override
    public void open(RowIdInterval range) throws SQLException {
        if (connection == null) {
            connection = snapshot.borrow();
        }
        ExportedRows.InRange inRange = rows.in(connection, range);
        PgQueries queries = inRange.queries();
        List<ByteBuffer> ofMost = inRange.keysIfOfMostEntities(connection);
        if (ofMost == null) {
            stream = CopyStream.open(connection, queries.eav(EavTuple.Indices.READ, range), inRange.only());
        } else {
            RowIdSet exported = RowIdSet.ofTuples(ofMost);
            stream =
                    CopyStream.open(connection, queries.wholeEav(EavTuple.Indices.READ, exported.interval()), exported);
        }
    }

    @Override
    public boolean next(ChunkColumns out, int row) throws SQLException {
        while (stream != null) {
            ByteBuffer tuple = stream.next();
            if (tuple == null) {
                return false;
            }
            if (write(tuple, out, row)) {
                return true;
            }
        }
        return false;
    }

    private boolean write(ByteBuffer tuple, ChunkColumns out, int row) {
        eav.read(tuple);
        EavAttribute attribute = byId.get(eav.attrId);
        if (attribute == null && !generic) {
            return false;
        }
        out.setLong(0, row, eav.idHigh);
        out.setLong(1, row, eav.idLow);
        out.setShort(ATTR_ID, row, eav.attrId);
        out.setNull(TEXT, row);
        out.setNull(DOUBLE, row);
        out.setNull(LONG, row);
        if (attribute == null) {
            writeAsItIs(out, row);
        } else {
            writeTyped(out, row, attribute);
        }
        return true;
    }

    private void writeAsItIs(ChunkColumns out, int row) {
        if (eav.hasText()) {
            out.setText(TEXT, row, eav.text());
        }
        if (eav.holds(LakeType.DOUBLE)) {
            out.setDouble(DOUBLE, row, eav.doubleNumber());
        } else if (eav.hasNumber()) {
            lossyCasts.merge(GENERIC, 1L, Long::sum);
        }
        out.setText(ARRAY_INDICES, row, eav.arrayIndices());
    }

    private void writeTyped(ChunkColumns out, int row, EavAttribute attribute) {
        if (!eav.holds(attribute.type())) {
            if (eav.hasValue()) {
                lossyCasts.merge(attribute.name(), 1L, Long::sum);
            }
        } else if (attribute.type() == LakeType.VARCHAR) {
            out.setText(TEXT, row, eav.text());
        } else if (attribute.type() == LakeType.DOUBLE) {
            out.setDouble(DOUBLE, row, eav.doubleNumber());
        } else {
            out.setLong(LONG, row, eav.longNumber());
        }
        String indices = eav.arrayIndicesText();
        out.setLong(ITEM_ORDER, row, itemOrder(indices));
        out.setLong(ITEM_SUB_ORDER, row, itemSubOrder(indices));
        out.setBoolean(EMPTY_MARKER, row, eav.isEmptyMarker());
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
        if (connection != null) {
            snapshot.giveBack(connection);
        }
        lossyCasts.forEach(source::addLossyCasts);
    }
}
