package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
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
final class CopyFunction implements DuckDBTableFunction<CopySource, CopyFunction.Scan, CopyFunction.Reader> {
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

    /** One execution: the ranges not claimed yet. */
    record Scan(CopySource source, Queue<RowIdInterval> unclaimed) {}

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
    public Scan init(DuckDBTableFunctionInitInfo info) {
        CopySource source = info.getBindData();
        info.setMaxThreads(source.ranges().size());
        return new Scan(source, new ConcurrentLinkedQueue<>(source.ranges()));
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
        Scan scan = info.getInitData();
        Reader reader = info.getLocalInitData();
        try {
            return scan.source().hasEnded() ? 0 : reader.read(scan, chunk);
        } catch (Throwable e) {
            scan.source().failed(e);
            return 0;
        }
    }

    /** One thread's share of a scan. */
    static final class Reader implements DuckDBTableFunctionState {
        private @Nullable TupleWriter writer;
        private @Nullable ChunkColumns columns;
        private @Nullable Connection connection;
        private @Nullable Connection companion;
        private @Nullable CopyStream stream;
        private boolean finished;

        private int read(Scan scan, DuckDBDataChunkWriter chunk) throws SQLException {
            if (finished) {
                return 0;
            }
            if (writer == null || columns == null) {
                writer = scan.source().newWriter();
                columns = new ChunkColumns(scan.source().columns(), (int) chunk.capacity());
            }
            columns.attach(chunk);
            int capacity = (int) chunk.capacity();
            int rows = 0;
            while (rows < capacity && !columns.isFull() && claim(scan)) {
                ByteBuffer tuple = Objects.requireNonNull(stream).next();
                if (tuple == null) {
                    stream = null;
                    writer.end();
                } else if (writer.write(tuple, columns, rows)) {
                    rows++;
                }
            }
            columns.flush(rows);
            scan.source().rowsRead(rows);
            if (rows == 0) {
                finish(scan);
            }
            return rows;
        }

        /** Makes sure that a stream is open; false when no range is left. */
        private boolean claim(Scan scan) throws SQLException {
            if (stream != null) {
                return true;
            }
            RowIdInterval range = scan.unclaimed().poll();
            if (range == null) {
                return false;
            }
            if (connection == null) {
                connection = scan.source().snapshot().borrow();
            }
            List<String> queries = scan.source().queries(connection, range);
            if (queries.size() == 1) {
                stream = CopyStream.open(connection, queries.get(0));
                return true;
            }
            // Both before either query runs: one that fails ends the transaction that others have yet to join.
            if (companion == null) {
                companion = scan.source().snapshot().borrow();
            }
            scan.source().snapshot().prepare(companion, range);
            stream = CopyStream.open(connection, queries.get(0));
            Objects.requireNonNull(writer).begin(CopyStream.open(companion, queries.get(1)));
            return true;
        }

        private void finish(Scan scan) {
            finished = true;
            Objects.requireNonNull(writer).finish();
            if (connection != null) {
                scan.source().snapshot().giveBack(connection);
                connection = null;
            }
            if (companion != null) {
                scan.source().snapshot().giveBack(companion);
                companion = null;
            }
        }

        /** A connection that was not given back is aborted with its snapshot. */
        @Override
        public void close() {
            stream = null;
        }
    }
}
