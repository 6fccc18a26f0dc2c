package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.sql.SQLException;

/**
 * Reads the rows of one row-id range after another into the columns of DuckDB chunks. One for each reading thread,
 * confined to it.
 */
interface RangeReader {
    /** Begins a range; the one before has been read to its end. */
    void open(RowIdInterval range) throws SQLException;

    /**
     * Writes the next row of the range.
     *
     * @param row of the chunk, 0 for its first
     * @return false after the last row, when nothing was written
     */
    boolean next(ChunkColumns out, int row) throws SQLException;

    /** Gives the connections back, and what was gathered to the source: the last range is read. */
    void finish();
}
