package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * What one call of the table function reads: the same query for each of several row-id ranges, by as many threads as
 * DuckDB sends, each with a connection of its own at the same instant. Gathers what the readers have seen. Thread-safe.
 */
final class CopySource {
    /** Makes the SQL of a range: one query, or a second one that the same writer takes up. */
    interface Queries {
        /**
         * Makes them.
         *
         * @param connection at the instant of the export, to ask beforehand
         */
        List<String> of(Connection connection, RowIdInterval range) throws SQLException;
    }

    private final PgSnapshot snapshot;
    private final Queries queries;
    private final List<RowIdInterval> ranges;
    private final List<DuckDBColumnType> columns;
    private final Function<CopySource, TupleWriter> writers;
    private final LongConsumer progress;

    private final List<RowVersions.Collector> versions = new ArrayList<>();
    private final Map<String, Long> lossyCasts = new TreeMap<>();
    private @Nullable Throwable failure;
    private volatile boolean ended;

    CopySource(
            PgSnapshot snapshot,
            Queries queries,
            List<RowIdInterval> ranges,
            List<DuckDBColumnType> columns,
            Function<CopySource, TupleWriter> writers,
            LongConsumer progress) {
        this.snapshot = snapshot;
        this.queries = queries;
        this.ranges = List.copyOf(ranges);
        this.columns = List.copyOf(columns);
        this.writers = writers;
        this.progress = progress;
    }

    PgSnapshot snapshot() {
        return snapshot;
    }

    /** SQL of a range: of the rows, and perhaps of what is read beside them, on a connection of its own. */
    List<String> queries(Connection connection, RowIdInterval range) throws SQLException {
        snapshot.prepare(connection, range);
        return queries.of(connection, range);
    }

    List<RowIdInterval> ranges() {
        return ranges;
    }

    List<DuckDBColumnType> columns() {
        return columns;
    }

    TupleWriter newWriter() {
        return writers.apply(this);
    }

    void rowsRead(int rows) {
        progress.accept(rows);
    }

    synchronized void addVersions(RowVersions.Collector collector) {
        versions.add(collector);
    }

    synchronized void addLossyCasts(String attribute, long count) {
        if (count > 0) {
            lossyCasts.merge(attribute, count, Long::sum);
        }
    }

    /** Keeps the first failure, and ends the reading. */
    synchronized void failed(Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        ended = true;
    }

    /** Readers stop where they are, as if there were no more rows; what was read is good for nothing then. */
    void end() {
        ended = true;
    }

    boolean hasEnded() {
        return ended;
    }

    synchronized @Nullable Throwable failure() {
        return failure;
    }

    synchronized RowVersions versions() {
        return RowVersions.of(versions);
    }

    synchronized Map<String, Long> lossyCasts() {
        return Map.copyOf(lossyCasts);
    }
}
