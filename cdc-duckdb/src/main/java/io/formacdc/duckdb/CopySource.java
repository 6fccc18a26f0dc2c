package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.duckdb.DuckDBColumnType;

/**
 * What one call of the table function reads: the same rows for each of several row-id ranges, by as many threads as
 * DuckDB sends, each with a connection of its own at the same instant. Gathers what the readers have seen. Thread-safe.
 */
final class CopySource {
    private final List<RowIdInterval> ranges;
    private final List<DuckDBColumnType> columns;
    private final Function<CopySource, RangeReader> newReader;
    private final LongConsumer progress;
    private final int readers;
    private final int threads;
    private final CopyEnd end;

    private final List<RowVersions.Collector> versions = new ArrayList<>();
    private final Map<String, Long> lossyCasts = new TreeMap<>();

    CopySource(
            List<RowIdInterval> ranges,
            List<DuckDBColumnType> columns,
            Function<CopySource, RangeReader> newReader,
            LongConsumer progress,
            int mostReaders,
            int threads,
            CopyEnd end) {
        this.readers = Math.min(ranges.size(), mostReaders);
        this.threads = threads;
        this.ranges = List.copyOf(ranges);
        this.columns = List.copyOf(columns);
        this.newReader = newReader;
        this.progress = progress;
        this.end = end;
    }

    List<RowIdInterval> ranges() {
        return ranges;
    }

    /** How many threads may read at once, each on a connection of its own. */
    int readers() {
        return readers;
    }

    /** How many threads DuckDB may send, whether all of them can read or not. */
    int threads() {
        return threads;
    }

    List<DuckDBColumnType> columns() {
        return columns;
    }

    RangeReader newReader() {
        return newReader.apply(this);
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

    CopyEnd end() {
        return end;
    }

    synchronized RowVersions versions() {
        return RowVersions.of(versions);
    }

    synchronized Map<String, Long> lossyCasts() {
        return Map.copyOf(lossyCasts);
    }
}
