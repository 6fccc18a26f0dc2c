package io.formacdc.duckdb;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.LongConsumer;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBFunctions;

/**
 * A condition in the query of a COPY, by which the COPY can be made to end early as if there were no more rows. One
 * that is cancelled, or fails, while DuckDB 2.0.0.1 has a part of its Parquet file still to write may wait for itself
 * for ever. Thread-safe.
 */
final class Wanted {
    private static final String FUNCTION = "forma_cdc_wanted";
    private static final String COUNTING_FUNCTION = "forma_cdc_wanted_and_counted";

    private volatile boolean ended;
    private volatile LongConsumer counted = rows -> {};

    /** Registers the conditions; once for each database. */
    static Wanted register(Connection duckDb) throws SQLException {
        Wanted wanted = new Wanted();
        wanted.register(duckDb, FUNCTION, rows -> {});
        wanted.register(duckDb, COUNTING_FUNCTION, rows -> wanted.counted.accept(rows));
        return wanted;
    }

    private void register(Connection duckDb, String name, LongConsumer asked) throws SQLException {
        DuckDBFunctions.scalarFunction()
                .withName(name)
                .withParameter(long.class)
                .withReturnType(DuckDBColumnType.BOOLEAN)
                .withVolatile()
                .withVectorizedFunction((rows, result) -> {
                    boolean answer = !ended;
                    for (long i = 0; i < rows.rowCount(); i++) {
                        result.setBoolean(i, answer);
                    }
                    asked.accept(rows.rowCount());
                })
                .register(duckDb);
    }

    /** @param column any of type BIGINT; without one, DuckDB would ask once for all rows */
    static String condition(String column) {
        return FUNCTION + "(" + column + ")";
    }

    /** The same, and rows that are asked about count as written. */
    static String countingCondition(String column) {
        return COUNTING_FUNCTION + "(" + column + ")";
    }

    void begin() {
        begin(rows -> {});
    }

    /** @param progress told, on DuckDB's threads, of so many more rows */
    void begin(LongConsumer progress) {
        counted = progress;
        ended = false;
    }

    void end() {
        ended = true;
    }

    boolean ended() {
        return ended;
    }
}
