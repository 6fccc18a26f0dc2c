package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.duckdb.DuckDBDataChunkWriter;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBTableFunction;
import org.duckdb.DuckDBTableFunctionBindInfo;
import org.duckdb.DuckDBTableFunctionCallInfo;
import org.duckdb.DuckDBTableFunctionInitInfo;
import org.duckdb.DuckDBTableFunctionState;
import org.jspecify.annotations.Nullable;

/**
 * The DuckDB table function {@code postgres_copy(source)}, by which PostgreSQL rows reach DuckDB: each thread that
 * DuckDB sends claims row-id ranges of the source, and decodes the binary COPY of each straight into DuckDB's vectors.
 * Columns are called {@code c0}, {@code c1} and so on. Thread-safe.
 */
final class CopyFunction implements DuckDBTableFunction<CopySource, CopyScan, CopyFunction.Reader> {
    private final Map<Long, CopySource> sources = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();

    /** Registers the function; once for each database. */
    static CopyFunction register(Connection duckDb) throws SQLException {
        CopyFunction function = new CopyFunction();
        DuckDBFunctions.tableFunction()
                .withName("postgres_copy")
                .withParameter(long.class)
                .withFunction(function)
                .register(duckDb);
        return function;
    }

    /** Offers a source until the returned id is given to {@link #withdraw}. */
    long offer(CopySource source) {
        long id = lastId.incrementAndGet();
        sources.put(id, source);
        return id;
    }

    void withdraw(long id) {
        sources.remove(id);
    }

    @Override
    public CopySource bind(DuckDBTableFunctionBindInfo info) {
        CopySource source =
                Objects.requireNonNull(sources.get(info.getParameter(0).getLong()), "no such source");
        for (int column = 0; column < source.columns().size(); column++) {
            info.addResultColumn("c" + column, source.columns().get(column));
        }
        return source;
    }

    @Override
    public CopyScan init(DuckDBTableFunctionInitInfo info) {
        CopySource source = info.getBindData();
        info.setMaxThreads(source.threads());
        return new CopyScan(source);
    }

    @Override
    public Reader localInit(DuckDBTableFunctionInitInfo info) {
        return new Reader();
    }

    /**
     * What fails here looks to DuckDB like the end of the rows, and whoever executes the statement asks the source
     * afterwards. A COPY that is aborted while DuckDB 2.0.0.1 has a part of its Parquet file still to write may wait for
     * itself for ever; and of an exception DuckDB would hand back the text alone, with a stack trace in it.
     */
    @Override
    public long apply(DuckDBTableFunctionCallInfo info, DuckDBDataChunkWriter chunk) {
        CopyScan scan = info.getInitData();
        Reader reader = info.getLocalInitData();
        try {
            return scan.source().end().isReached() ? 0 : reader.read(scan, chunk);
        } catch (Throwable e) {
            scan.source().end().failed(e);
            return 0;
        }
    }

    /** One thread's share of a scan. */
    static final class Reader implements DuckDBTableFunctionState {
        private @Nullable RangeReader reader;
        private @Nullable ChunkColumns columns;
        private boolean isInRange;
        private boolean finished;

        private int read(CopyScan scan, DuckDBDataChunkWriter chunk) throws SQLException {
            int rows = 0;
            if (!finished && (reader != null || scan.join())) {
                scan.beginReading();
                try {
                    rows = readSome(scan, chunk);
                } finally {
                    scan.endReading();
                }
            }
            if (rows == 0) {
                scan.awaitOthers();
            }
            return rows;
        }

        private int readSome(CopyScan scan, DuckDBDataChunkWriter chunk) throws SQLException {
            if (reader == null || columns == null) {
                reader = scan.source().newReader();
                columns = new ChunkColumns(scan.source().columns(), (int) chunk.capacity());
            }
            columns.attach(chunk);
            int capacity = (int) chunk.capacity();
            int rows = 0;
            while (rows < capacity && !columns.isFull() && claim(scan, reader)) {
                if (reader.next(columns, rows)) {
                    rows++;
                } else {
                    isInRange = false;
                }
            }
            columns.flush(rows);
            scan.source().rowsRead(rows);
            if (rows == 0) {
                finished = true;
                reader.finish();
                scan.leave();
            }
            return rows;
        }

        /** Makes sure that a range is begun; false when none is left. */
        private boolean claim(CopyScan scan, RangeReader reader) throws SQLException {
            if (!isInRange) {
                RowIdInterval range = scan.claim();
                if (range == null) {
                    return false;
                }
                reader.open(range);
                isInRange = true;
            }
            return true;
        }

        /** Connections that were not given back are aborted with their snapshot. */
        @Override
        public void close() {
            reader = null;
        }
    }
}
