package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import org.duckdb.DuckDBDataChunkWriter;

/** Decodes tuples of a COPY into the vectors of a DuckDB chunk. One for each reading thread, confined to it. */
interface TupleWriter {
    /** Begins a chunk, whose vectors are valid until {@link #endChunk}. */
    void beginChunk(DuckDBDataChunkWriter chunk);

    /**
     * Writes a tuple into a row of the chunk.
     *
     * @return whether the row was taken; if not, the next tuple goes to the same row
     */
    boolean write(ByteBuffer tuple, int row);

    /** Whether the chunk should end before its capacity, because its rows are large. */
    boolean isFull();

    /** Ends a chunk of so many rows. */
    void endChunk(int rows);

    /** Hands what was gathered to the source: this thread has read its last tuple. */
    void finish();
}
