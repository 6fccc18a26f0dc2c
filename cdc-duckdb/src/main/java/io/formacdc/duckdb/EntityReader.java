package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the exported rows of a range with their hot columns and, if asked to, their scalar attributes: {@link EntityJoin}
 * of what the server sends on one connection for the rows, and on one for the attributes.
 */
final class EntityReader implements RangeReader {
    private final CopySource source;
    private final PgSnapshot snapshot;
    private final ExportedRows rows;
    private final Projection projection;
    private final boolean readsScalars;
    private final EntityJoin join;

    private @Nullable Connection connection;
    private @Nullable Connection connectionOfAttributes;

    /**
     * @param readsScalars whether the scalar attributes are read too
     * @param versions where to remember them; null where nobody asks
     */
    EntityReader(
            CopySource source,
            PgSnapshot snapshot,
            ExportedRows rows,
            Projection projection,
            boolean readsScalars,
            RowVersions.@Nullable Collector versions) {
        this.source = source;
        this.snapshot = snapshot;
        this.rows = rows;
        this.projection = projection;
        this.readsScalars = readsScalars;
        this.join = new EntityJoin(projection, readsScalars, versions);
    }

    @Override
    public void open(RowIdInterval range) throws SQLException {
        // Both before a query begins, because nobody can join a snapshot whose transaction has failed.
        connection = connection != null ? connection : snapshot.borrow();
        if (readsScalars && connectionOfAttributes == null) {
            connectionOfAttributes = snapshot.borrow();
        }
        ExportedRows.InRange inRange = rows.in(connection, range);
        PgQueries queries = inRange.queries();
        boolean carryEntities = queries.selectsEntities();
        List<ByteBuffer> ofMost = carryEntities ? null : inRange.keysIfOfMostEntities(connection);
        boolean areMost = carryEntities ? inRange.areMostEntities(connection) : ofMost != null;
        RowIdInterval interval =
                ofMost == null ? range : RowIdSet.ofTuples(ofMost).interval();
        Tuples keys;
        OrderedTuples entities = null;
        OrderedTuples attributes = null;
        if (ofMost == null) {
            keys = CopyStream.inOrder(connection, queries.entities(projection, range), inRange.only());
        } else {
            Iterator<ByteBuffer> iterator = ofMost.iterator();
            keys = () -> iterator.hasNext() ? iterator.next() : null;
            entities = new OrderedTuples(
                    CopyStream.inOrder(connection, queries.wholeEntities(projection, interval), null));
        }
        if (connectionOfAttributes != null) {
            inRange.prepare(connectionOfAttributes);
            String query = areMost
                    ? queries.wholeEav(EavTuple.Indices.NOT_READ, interval)
                    : queries.eav(EavTuple.Indices.NOT_READ, range);
            attributes = new OrderedTuples(CopyStream.inOrder(connectionOfAttributes, query, null));
        }
        join.begin(keys, entities, attributes);
    }

    @Override
    public boolean next(ChunkColumns out, int row) throws SQLException {
        return join.next(out, row);
    }

    @Override
    public void finish() {
        if (connection != null) {
            snapshot.giveBack(connection);
        }
        if (connectionOfAttributes != null) {
            snapshot.giveBack(connectionOfAttributes);
        }
        join.finish(source);
    }
}
