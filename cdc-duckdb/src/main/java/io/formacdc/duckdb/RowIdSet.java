package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Some row ids, 16 bytes each. Immutable. */
final class RowIdSet {
    /**
     * Selects, as {@code id}, those that were handed to a connection. In a subquery, or the planner would read the ids
     * from their text too.
     */
    static final String HANDED_OVER = "SELECT unnest((SELECT current_setting('forma_cdc.row_ids')::uuid[])) AS id";

    private static final int ID_OFFSET = 6;

    /** In byte order. */
    private final long[] highs;

    private final long[] lows;

    RowIdSet(long[] highs, long[] lows) {
        this.highs = highs;
        this.lows = lows;
    }

    /** @param ids ascending in byte order */
    static RowIdSet of(List<UUID> ids) {
        return new RowIdSet(
                ids.stream().mapToLong(UUID::getMostSignificantBits).toArray(),
                ids.stream().mapToLong(UUID::getLeastSignificantBits).toArray());
    }

    /** @param tuples whose first field is a row id, ascending */
    static RowIdSet ofTuples(List<ByteBuffer> tuples) {
        return new RowIdSet(
                tuples.stream()
                        .mapToLong(t -> t.getLong(t.position() + ID_OFFSET))
                        .toArray(),
                tuples.stream()
                        .mapToLong(t -> t.getLong(t.position() + ID_OFFSET + Long.BYTES))
                        .toArray());
    }

    int size() {
        return highs.length;
    }

    /**
     * Hands them to the queries of the connection's transaction, by a setting of it: so the text of a query does not grow
     * with their number, and nothing is left on a pooled session.
     */
    void handTo(Connection connection) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT set_config('forma_cdc.row_ids', ?, true)")) {
            statement.setString(
                    1,
                    IntStream.range(0, size())
                            .mapToObj(i -> new UUID(highs[i], lows[i]).toString())
                            .collect(Collectors.joining(",", "{", "}")));
            statement.execute();
        }
    }

    /** The smallest interval that has them all; there must be one at least. */
    RowIdInterval interval() {
        long high = highs[0];
        long low = lows[0];
        UUID before = new UUID(low == 0 ? high - 1 : high, low - 1);
        int last = size() - 1;
        return new RowIdInterval(high == 0 && low == 0 ? null : before, new UUID(highs[last], lows[last]));
    }

    /** Whether the row id of a tuple, which is its first field, is one of these. */
    boolean hasIdOf(ByteBuffer tuple) {
        return contains(
                tuple.getLong(tuple.position() + ID_OFFSET), tuple.getLong(tuple.position() + ID_OFFSET + Long.BYTES));
    }

    boolean contains(long high, long low) {
        int from = 0;
        int to = size();
        while (from < to) {
            int middle = (from + to) >>> 1;
            int order = compare(highs[middle], lows[middle], high, low);
            if (order == 0) {
                return true;
            }
            if (order < 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return false;
    }

    /** In byte order. */
    static int compare(long high, long low, long otherHigh, long otherLow) {
        int order = Long.compareUnsigned(high, otherHigh);
        return order != 0 ? order : Long.compareUnsigned(low, otherLow);
    }
}
