package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * The tuples of one {@code COPY ... TO STDOUT (FORMAT BINARY)}. The server sends one message a tuple (PostgreSQL's
 * documentation, message formats, CopyData), the first one behind the file header, and a trailer after the last.
 */
final class CopyStream {
    private static final int HEADER_BYTES = 19;
    private static final short TRAILER = -1;

    private final CopyOut copy;
    private boolean atStart = true;

    private CopyStream(CopyOut copy) {
        this.copy = copy;
    }

    static CopyStream open(Connection connection, String query) throws SQLException {
        String sql = "COPY (" + query + ") TO STDOUT (FORMAT BINARY)";
        return new CopyStream(connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql));
    }

    /** The next tuple, its position at the count of fields; null after the last. */
    @Nullable
    ByteBuffer next() throws SQLException {
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
            if (tuple.remaining() >= 2 && tuple.getShort(tuple.position()) != TRAILER) {
                return tuple;
            }
        }
    }
}
