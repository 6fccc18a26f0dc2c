package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of an export: all that queries find, or those of them whose ids were given. Immutable.
 *
 * @param all the queries that find them, and others where ids are given
 * @param given null for all rows
 * @param ranges pieces that are read side by side, of about as many rows each
 * @param rowCount how many rows these have together, roughly
 */
record ExportedRows(PgQueries all, @Nullable GivenIds given, List<RowIdInterval> ranges, long rowCount) {
    /** Up to so many rows are read for four that are exported; a search for each id costs the server about twice a row. */
    private static final int MOST_READ_OF_FOUR = 5;

    /** Up to so many entities are read for one that is exported. */
    private static final int MOST_ENTITIES_READ = 2;

    /**
     * How to read those of a range.
     *
     * @param queries what to send; they may find others too
     * @param only row ids, of which alone rows are taken; null for all
     * @param handedOver row ids that the queries expect to have been {@link #prepare handed} to their connection; null
     *     if they do not
     * @param rowCount roughly
     */
    record InRange(
            PgQueries queries,
            RowIdInterval range,
            @Nullable RowIdSet only,
            @Nullable RowIdSet handedOver,
            long rowCount) {

        /** For a connection that the decision was not made on. */
        void prepare(Connection connection) throws SQLException {
            if (handedOver != null) {
                handedOver.handTo(connection);
            }
        }

        /**
         * The keys of the rows in the order of their ids, if these are those of most entities between the first and the
         * last: then all that lies there is read in one go, and what belongs to others is passed over, which takes the
         * server half as long as a search for each entity. The planner is not asked, because the statistics of a table
         * that was filled a minute ago may say anything. Null if each is to be looked up.
         */
        @Nullable
        List<ByteBuffer> keysIfOfMostEntities(Connection connection) throws SQLException {
            if (rowCount < PgQueries.MIN_ROWS_TO_COUNT) {
                return null;
            }
            List<ByteBuffer> keys =
                    CopyStream.open(connection, queries.keys(range), only).readAll();
            return !keys.isEmpty()
                            && areMostEntities(
                                    connection, RowIdSet.ofTuples(keys).interval(), keys.size())
                    ? keys
                    : null;
        }

        /** Whether most entities of the range are exported. */
        boolean areMostEntities(Connection connection) throws SQLException {
            return rowCount >= PgQueries.MIN_ROWS_TO_COUNT && areMostEntities(connection, range, rowCount);
        }

        private boolean areMostEntities(Connection connection, RowIdInterval interval, long rows) throws SQLException {
            long most = MOST_ENTITIES_READ * rows;
            return PgQueries.isAtMost(connection, queries.countOfEntities(interval, most + 1), most);
        }
    }

    /**
     * Decides how to read a range on a connection. Where few rows are not given, all are read; where many are not, the
     * ids are handed to the server, for the transaction of the connection.
     */
    InRange in(Connection connection, RowIdInterval range) throws SQLException {
        long rows = rowCount / ranges.size();
        if (given == null) {
            return new InRange(all, range, null, null, rows);
        }
        RowIdSet ids = given.in(range);
        long most = (long) MOST_READ_OF_FOUR * ids.size() / 4;
        if (ids.size() >= PgQueries.MIN_ROWS_TO_COUNT
                && PgQueries.isAtMost(connection, all.countOfRows(range, most + 1), most)) {
            return new InRange(all, range, ids, null, rows);
        }
        InRange lookedUp = new InRange(all.among(RowIdSet.HANDED_OVER), range, null, ids, rows);
        lookedUp.prepare(connection);
        return lookedUp;
    }
}
