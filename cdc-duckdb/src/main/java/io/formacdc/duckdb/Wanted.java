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
    private static final String FUNCTION = "forma_cdc_wanted_";
    private static final String COUNTING_FUNCTION = "forma_cdc_wanted_and_counted_";

    private final int number;
    private volatile boolean ended;
    private volatile LongConsumer counted = rows -> {};

    /** One that is not registered yet. */
    Wanted(int number) {
        this.number = number;
    }

    /**
     * Registers the conditions.
     *
     * @param number another one for each COPY that a database may run at the same time; each once for each database
     */
    static Wanted register(Connection duckDb, int number) throws SQLException {
        Wanted wanted = new Wanted(number);
        wanted.register(duckDb, FUNCTION + number, rows -> {});
        wanted.register(duckDb, COUNTING_FUNCTION + number, rows -> wanted.counted.accept(rows));
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
    String condition(String column) {
        return FUNCTION + number + "(" + column + ")";
    }

    /** The same, and rows that are asked about count as written. */
    String countingCondition(String column) {
        return COUNTING_FUNCTION + number + "(" + column + ")";
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
