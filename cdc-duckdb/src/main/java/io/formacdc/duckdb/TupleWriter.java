package io.formacdc.duckdb;

import java.nio.ByteBuffer;

/** Decodes tuples of a COPY into the columns of a DuckDB chunk. One for each reading thread, confined to it. */
interface TupleWriter {
    /**
     * Writes a tuple into a row of the chunk.
     *
     * @return whether the row was taken; if not, the next tuple goes to the same row
     */
    boolean write(ByteBuffer tuple, ChunkColumns out, int row);

    /** Hands what was gathered to the source: this thread has read its last tuple. */
    void finish();
}
