package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.sql.SQLException;

/** Decodes tuples of a COPY into the columns of a DuckDB chunk. One for each reading thread, confined to it. */
interface TupleWriter {
    /** Begins a range of a source that has a second query, whose tuples these are. */
    default void begin(CopyStream companion) throws SQLException {
        throw new IllegalStateException("a second query, and nobody to read it");
    }

    /** A range with a second query has come to its end. */
    default void end() {}

    /**
     * Writes a tuple into a row of the chunk.
     *
     * @return whether the row was taken; if not, the next tuple goes to the same row
     */
    boolean write(ByteBuffer tuple, ChunkColumns out, int row) throws SQLException;

    /** Hands what was gathered to the source: this thread has read its last tuple. */
    void finish();
}
