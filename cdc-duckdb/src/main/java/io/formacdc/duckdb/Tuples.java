package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Tuples of a COPY, one after another. */
@FunctionalInterface
interface Tuples {
    /** The next tuple, its position at the count of fields; null after the last. */
    @Nullable
    ByteBuffer next() throws SQLException;
}
