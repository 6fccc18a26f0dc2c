package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Tuples whose first field is a row id, ascending by it; one side of a merge join. Confined to a thread. */
final class OrderedTuples {
    /** Behind the count of fields and the length of the first. */
    private static final int ID_OFFSET = 6;

    private final Tuples tuples;
    private @Nullable ByteBuffer tuple;
    private long high;
    private long low;

    /** Stands at the first tuple. */
    OrderedTuples(Tuples tuples) throws SQLException {
        this.tuples = tuples;
        advance();
    }

    /** Passes over the tuples of lesser ids; null if there is none of this id then, else that one. */
    @Nullable
    ByteBuffer seek(long idHigh, long idLow) throws SQLException {
        while (tuple != null) {
            int order = RowIdSet.compare(high, low, idHigh, idLow);
            if (order >= 0) {
                return order == 0 ? tuple : null;
            }
            advance();
        }
        return null;
    }

    /** On to the next tuple. */
    void advance() throws SQLException {
        boolean isFirst = tuple == null;
        tuple = tuples.next();
        if (tuple != null) {
            long nextHigh = tuple.getLong(tuple.position() + ID_OFFSET);
            long nextLow = tuple.getLong(tuple.position() + ID_OFFSET + Long.BYTES);
            if (!isFirst && RowIdSet.compare(nextHigh, nextLow, high, low) < 0) {
                throw new IllegalStateException("the server sent row ids out of order");
            }
            high = nextHigh;
            low = nextLow;
        }
    }

    /** Reads what is left, so that the connection is free for another query. */
    void skipRest() throws SQLException {
        while (tuple != null) {
            advance();
        }
    }
}
