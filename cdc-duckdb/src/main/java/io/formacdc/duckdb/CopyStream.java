package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * The tuples of one {@code COPY ... TO STDOUT (FORMAT BINARY)}. The server sends one message a tuple (PostgreSQL's
 * documentation, message formats, CopyData), the first one behind the file header, and a trailer after the last.
 */
final class CopyStream implements Tuples {
    private static final int HEADER_BYTES = 19;
    private static final short TRAILER = -1;

    private final CopyOut copy;
    private final @Nullable RowIdSet only;
    private boolean atStart = true;

    private CopyStream(CopyOut copy, @Nullable RowIdSet only) {
        this.copy = copy;
        this.only = only;
    }

    /** @param only row ids, of which alone tuples are handed out; null for all tuples */
    static CopyStream open(Connection connection, String query, @Nullable RowIdSet only) throws SQLException {
        String sql = "COPY (" + query + ") TO STDOUT (FORMAT BINARY)";
        return new CopyStream(connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql), only);
    }

    /** The same in the order of row ids, which must be the query's first column. */
    static CopyStream inOrder(Connection connection, String query, @Nullable RowIdSet only) throws SQLException {
        return open(connection, query + " ORDER BY 1", only);
    }

    @Override
    public @Nullable ByteBuffer next() throws SQLException {
        while (true) {
            byte[] message = copy.readFromCopy();
            if (message == null) {
                return null;
            }
            ByteBuffer tuple = ByteBuffer.wrap(message);
            if (atStart) {
                atStart = false;
                // The flags and the length of the header's extension area, both always 0, are its last 8 bytes.
                tuple.position(HEADER_BYTES);
            }
            if (tuple.remaining() >= 2
                    && tuple.getShort(tuple.position()) != TRAILER
                    && (only == null || only.hasIdOf(tuple))) {
                return tuple;
            }
        }
    }

    /** The tuples that are left. */
    List<ByteBuffer> readAll() throws SQLException {
        List<ByteBuffer> all = new ArrayList<>();
        for (ByteBuffer tuple = next(); tuple != null; tuple = next()) {
            all.add(tuple);
        }
        return all;
    }
}
