package io.formacdc.duckdb;

import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBDataChunkWriter;
import org.duckdb.DuckDBWritableVector;
import org.jspecify.annotations.Nullable;

/**
 * The columns of a DuckDB chunk, written by position. Text is gathered and handed over a column at a time, because each
 * call for it crosses into native code. Confined to a thread.
 */
final class ChunkColumns {
    /** Much less than what DuckDB holds, much more than a chunk of ordinary rows. */
    private static final long MAX_GATHERED_BYTES = 8L << 20;

    private final DuckDBWritableVector[] vectors;
    private final byte[][] @Nullable [] texts;
    private long gatheredBytes;

    ChunkColumns(List<DuckDBColumnType> types, int capacity) {
        vectors = new DuckDBWritableVector[types.size()];
        texts = new byte[types.size()][][];
        for (int column = 0; column < vectors.length; column++) {
            if (types.get(column) == DuckDBColumnType.VARCHAR) {
                texts[column] = new byte[capacity][];
            }
        }
    }

    /** Writes to this chunk from now on, whose vectors are valid until {@link #flush}. */
    void attach(DuckDBDataChunkWriter chunk) {
        for (int column = 0; column < vectors.length; column++) {
            vectors[column] = chunk.vector(column);
        }
    }

    /** Whether so much text is gathered that the chunk should end here. */
    boolean isFull() {
        return gatheredBytes >= MAX_GATHERED_BYTES;
    }

    /** Hands over the text of so many rows. */
    void flush(int rows) {
        gatheredBytes = 0;
        for (int column = 0; column < vectors.length; column++) {
            byte[][] text = texts[column];
            if (text != null && rows > 0) {
                vectors[column].setStringUtf8Batch(0, rows == text.length ? text : Arrays.copyOf(text, rows));
                Arrays.fill(text, 0, rows, null);
            }
        }
    }

    void setNull(int column, int row) {
        byte[][] text = texts[column];
        if (text == null) {
            vectors[column].setNull(row);
        } else {
            text[row] = null;
        }
    }

    void setText(int column, int row, byte[] utf8) {
        byte[][] text = texts[column];
        if (text == null) {
            throw new IllegalStateException("column " + column + " is no text");
        }
        text[row] = utf8;
        gatheredBytes += utf8.length;
    }

    void setBoolean(int column, int row, boolean value) {
        vectors[column].setBoolean(row, value);
    }

    void setShort(int column, int row, short value) {
        vectors[column].setShort(row, value);
    }

    void setInt(int column, int row, int value) {
        vectors[column].setInt(row, value);
    }

    void setLong(int column, int row, long value) {
        vectors[column].setLong(row, value);
    }

    void setDouble(int column, int row, double value) {
        vectors[column].setDouble(row, value);
    }

    /** Writes the two halves into this column and the next: DuckDB's Java functions have no UUID. */
    void setUuid(int column, int row, UUID value) {
        setLong(column, row, value.getMostSignificantBits());
        setLong(column + 1, row, value.getLeastSignificantBits());
    }
}
