package io.formacdc.duckdb;

import io.formacdc.core.RowVersions;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.duckdb.DuckDBColumnType;
import org.jspecify.annotations.Nullable;

/**
 * A merge join of exported rows with their hot columns and scalar attributes, as they stream by in the order of row ids,
 * written in the types of the file. The versions that stream by can be remembered. Confined to a thread.
 */
final class EntityJoin {
    /** Two for the row id, then changed_at, deleted_at and the three of {@code entity_main}. */
    static final int FIRST_HOT_COLUMN = 7;

    private static final int FIRST_ENTITY_COLUMN = 4;
    private static final int KEY_FIELDS = 4;
    private static final int ENTITY_FIELDS = FIRST_HOT_COLUMN - FIRST_ENTITY_COLUMN;

    private final Projection projection;
    private final HotScalars hotScalars;
    private final @Nullable EavScalars eavScalars;
    private final EavTuple eavTuple;
    private final RowVersions.@Nullable Collector versions;

    private Tuples keys = () -> null;
    /** Null where the tuples of the keys go on with the fields of their entity. */
    private @Nullable OrderedTuples entities;
    /** Null where they are not asked for. */
    private @Nullable OrderedTuples attributes;

    private boolean isFirst = true;
    private long idHigh;
    private long idLow;

    /**
     * @param readsScalars whether the scalar attributes are joined too
     * @param versions where to remember them; null where nobody asks, because that takes memory for each row
     */
    EntityJoin(Projection projection, boolean readsScalars, RowVersions.@Nullable Collector versions) {
        this.projection = projection;
        this.hotScalars = new HotScalars(projection.hot(), FIRST_HOT_COLUMN);
        this.eavScalars = readsScalars ? new EavScalars(projection.eav(), firstAttributeColumn(projection)) : null;
        this.eavTuple = new EavTuple(EavTuple.Indices.NOT_READ, projection.valueNumericType());
        this.versions = versions;
    }

    /** The column of the first attribute, if they are asked for. */
    static int firstAttributeColumn(Projection projection) {
        return columns(projection, false).size();
    }

    /** Types of the columns that this writes. */
    static List<DuckDBColumnType> columns(Projection projection, boolean readsScalars) {
        List<DuckDBColumnType> types = new ArrayList<>(Collections.nCopies(FIRST_HOT_COLUMN, DuckDBColumnType.BIGINT));
        types.addAll(HotScalars.columns(projection.hot()));
        if (readsScalars) {
            types.addAll(EavScalars.columns(projection.eav()));
        }
        return types;
    }

    /**
     * Begins with the rows of a range; those of the one before have been read to their end.
     *
     * @param rows ascending by row id, as {@link PgQueries#keys} selects them if entities are given, else as
     *     {@link PgQueries#entities}
     * @param fields as {@link PgQueries#wholeEntities} selects them
     * @param values as {@link PgQueries#eav} selects them without array_indices; null if there are none to join
     */
    void begin(Tuples rows, @Nullable OrderedTuples fields, @Nullable OrderedTuples values) {
        keys = rows;
        entities = fields;
        attributes = values;
        isFirst = true;
    }

    /** Writes the next row; false after the last, when nothing was written. */
    boolean next(ChunkColumns out, int row) throws SQLException {
        ByteBuffer key = keys.next();
        if (key == null) {
            if (entities != null) {
                entities.skipRest();
            }
            if (attributes != null) {
                attributes.skipRest();
            }
            return false;
        }
        writeKey(key, out, row);
        writeEntity(entities == null ? key : entities.seek(idHigh, idLow), out, row);
        if (eavScalars != null && attributes != null) {
            for (ByteBuffer tuple = attributes.seek(idHigh, idLow);
                    tuple != null;
                    tuple = attributes.seek(idHigh, idLow)) {
                eavTuple.read(tuple);
                eavScalars.put(eavTuple, out, row);
                attributes.advance();
            }
            eavScalars.end(out, row);
        }
        return true;
    }

    private void writeKey(ByteBuffer tuple, ChunkColumns out, int row) {
        expectFields(tuple, entities == null ? KEY_FIELDS + entityFields() : KEY_FIELDS);
        long previousHigh = idHigh;
        long previousLow = idLow;
        readId(tuple);
        if (!isFirst && RowIdSet.compare(idHigh, idLow, previousHigh, previousLow) <= 0) {
            throw new IllegalStateException("row " + new UUID(idHigh, idLow) + " comes twice: change_log needs the"
                    + " primary key (schema_id, row_id, flushed_at), entity_main (ltbase_schema_id, ltbase_row_id)");
        }
        isFirst = false;
        tuple.getInt();
        long changedAt = tuple.getLong();
        out.setLong(0, row, idHigh);
        out.setLong(1, row, idLow);
        out.setLong(2, row, changedAt);
        // A live row has 0 in Parquet, never NULL, so that ties are decided alike everywhere.
        out.setLong(3, row, tuple.getInt() < 0 ? 0 : Math.max(0, tuple.getLong()));
        tuple.getInt();
        int xmin = tuple.getInt();
        if (versions != null) {
            versions.add(idHigh, idLow, changedAt, xmin);
        }
    }

    /** @param tuple null if the entity is gone */
    private void writeEntity(@Nullable ByteBuffer tuple, ChunkColumns out, int row) {
        if (tuple == null) {
            for (int column = FIRST_ENTITY_COLUMN; column < FIRST_HOT_COLUMN; column++) {
                out.setNull(column, row);
            }
            hotScalars.putNone(out, row);
            return;
        }
        if (entities != null) {
            expectFields(tuple, 1 + entityFields());
            readId(tuple);
        }
        for (int column = FIRST_ENTITY_COLUMN; column < FIRST_HOT_COLUMN; column++) {
            if (tuple.getInt() < 0) {
                out.setNull(column, row);
            } else {
                out.setLong(column, row, tuple.getLong());
            }
        }
        hotScalars.put(tuple, out, row);
    }

    private int entityFields() {
        return ENTITY_FIELDS + projection.hot().size();
    }

    private static void expectFields(ByteBuffer tuple, int expected) {
        int fields = tuple.getShort();
        if (fields != expected) {
            throw new IllegalStateException("the server sent " + fields + " fields, not " + expected);
        }
    }

    private void readId(ByteBuffer tuple) {
        tuple.getInt();
        idHigh = tuple.getLong();
        idLow = tuple.getLong();
    }

    /** Hands over what was gathered. */
    void finish(CopySource source) {
        if (versions != null) {
            source.addVersions(versions);
        }
        hotScalars.finish(source);
        if (eavScalars != null) {
            eavScalars.finish(source);
        }
    }
}
