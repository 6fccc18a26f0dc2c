package io.formacdc.duckdb;

import java.sql.Connection;
import java.sql.SQLException;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBFunctions;

/**
 * A condition in the query of a COPY, by which the COPY can be made to end early as if there were no more rows. One
 * that is cancelled, or fails, while DuckDB 2.0.0.1 has a part of its Parquet file still to write may wait for itself
 * for ever. Thread-safe.
 */
final class Wanted {
    private static final String FUNCTION = "forma_cdc_wanted";

    private volatile boolean ended;

    /** Registers the condition; once for each database. */
    static Wanted register(Connection duckDb) throws SQLException {
        Wanted wanted = new Wanted();
        DuckDBFunctions.scalarFunction()
                .withName(FUNCTION)
                .withParameter(long.class)
                .withReturnType(DuckDBColumnType.BOOLEAN)
                .withVolatile()
                .withVectorizedFunction((rows, result) -> {
                    boolean answer = !wanted.ended;
                    for (long i = 0; i < rows.rowCount(); i++) {
                        result.setBoolean(i, answer);
                    }
                })
                .register(duckDb);
        return wanted;
    }

    /** @param column any of type BIGINT; without one, DuckDB would ask once for all rows */
    static String condition(String column) {
        return FUNCTION + "(" + column + ")";
    }

    void begin() {
        ended = false;
    }

    void end() {
        ended = true;
    }

    boolean ended() {
        return ended;
    }
}
