package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.TableName;
import io.formacdc.examples.benchmarks.Workload;
import io.formacdc.examples.localstack.LocalPostgres;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The decoder of the binary COPY alone: what PostgreSQL once sent for rows of the standard work is joined and written to
 * DuckDB's vectors by one thread, and DuckDB only counts. In the package of the decoder, which is not public.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class DecoderBenchmark {
    /** As many as an export reads in one go at the most. */
    public static final int ROWS = 32_768;

    private final Connection duckDb;
    private final CopyFunction function;
    private final Recording recording;

    /** Starts a PostgreSQL for as long as it takes to record what it sends. */
    public DecoderBenchmark() {
        try (LocalPostgres postgres = LocalPostgres.start();
                Connection connection = postgres.dataSource().getConnection()) {
            LocalPostgres.createTables(connection);
            recording = Recording.of(connection, new Workload(Workload.SCHEMA_ID, ROWS));
            duckDb = DriverManager.getConnection("jdbc:duckdb:;threads=1");
            function = CopyFunction.register(duckDb);
        } catch (SQLException e) {
            throw new IllegalStateException("nothing could be recorded", e);
        }
    }

    @TearDown
    public void close() throws SQLException {
        duckDb.close();
    }

    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long decode() throws SQLException {
        CopyEnd end = new CopyEnd();
        CopySource source = new CopySource(
                List.of(RowIdInterval.ALL),
                EntityJoin.columns(recording.projection(), true),
                recording::reader,
                rows -> {},
                1,
                1,
                end);
        long id = function.offer(source);
        try (Statement statement = duckDb.createStatement();
                ResultSet result = statement.executeQuery("SELECT count(*) FROM postgres_copy(" + id + ")")) {
            result.next();
            if (end.isReached() || result.getLong(1) != ROWS) {
                throw new IllegalStateException("not all rows were decoded", end.failure());
            }
            return source.versions().size();
        } finally {
            function.withdraw(id);
        }
    }

    /** The tuples of the three COPYs that an export of all rows reads. */
    private record Recording(
            Projection projection, List<ByteBuffer> keys, List<ByteBuffer> entities, List<ByteBuffer> eav) {
        static Recording of(Connection connection, Workload work) throws SQLException {
            work.load(connection);
            work.makeDirty(connection);
            CdcConfig config = CdcConfig.builder().build().withDefaults();
            TableCatalog catalog = TableCatalog.read(
                    connection,
                    TableName.parse(config.changeLogTable()),
                    TableName.parse(config.entityMainTable()),
                    TableName.parse(config.eavDataTable()));
            Projection projection = Projection.of(
                    catalog, Workload.REGISTRY.findAttributes(work.schemaId()).orElseThrow());
            PgQueries queries = PgQueries.ofDirtyRows(config, work.schemaId());
            return new Recording(
                    projection,
                    CopyStream.open(connection, queries.keys(RowIdInterval.ALL), null)
                            .readAll(),
                    CopyStream.inOrder(connection, queries.wholeEntities(projection, RowIdInterval.ALL), null)
                            .readAll(),
                    CopyStream.inOrder(connection, queries.wholeEav(EavTuple.Indices.NOT_READ, RowIdInterval.ALL), null)
                            .readAll());
        }

        private static Tuples replay(List<ByteBuffer> tuples) {
            Iterator<ByteBuffer> iterator = tuples.iterator();
            return () -> iterator.hasNext() ? iterator.next().duplicate() : null;
        }

        RangeReader reader(CopySource source) {
            EntityJoin join = new EntityJoin(projection, true, new RowVersions.Collector());
            return new RangeReader() {
                @Override
                public void open(RowIdInterval range) throws SQLException {
                    join.begin(replay(keys), new OrderedTuples(replay(entities)), new OrderedTuples(replay(eav)));
                }

                @Override
                public boolean next(ChunkColumns out, int row) throws SQLException {
                    return join.next(out, row);
                }

                @Override
                public void finish() {
                    join.finish(source);
                }
            };
        }
    }
}
