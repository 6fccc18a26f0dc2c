package io.formacdc.core;

import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Turns live rows, whatever the change log says of them, into Parquet files on the local disk. */
public interface LiveExporter {
    /**
     * Fixes one instant of a schema's tables; every read through the snapshot, on any thread, sees that instant.
     *
     * @param attributes what to project; null for every hot column under its own name and the rest as a list
     * @param filesAtOnce most files that will be exported at the same time, at least 1
     * @throws CdcException if the tables do not have what the attributes name, before anything is read or written
     */
    LiveSnapshot openLiveSnapshot(int schemaId, @Nullable SchemaAttributes attributes, int filesAtOnce);

    /**
     * The live rows of a schema at one instant. The version of a row is that of its last update. Unlike its parent,
     * thread-safe; {@link SnapshotExporter.ExportedFile#versions()} of its files is empty, because nobody marks rows with
     * it, and they may be many.
     */
    interface LiveSnapshot extends SnapshotExporter.Snapshot {
        /** A chunk without a row, of which a file with all columns can be exported. */
        SnapshotExporter.Chunk NO_ROWS =
                new SnapshotExporter.Chunk(new UUID(-1, -1), new UUID(-1, -1), 0, java.util.List.of());

        /** On the local disk, and exactly the chunk's rows, because files side by side are to be of one instant. */
        @Override
        SnapshotExporter.ExportedFile export(SnapshotExporter.Chunk chunk, LongConsumer progress);

        /** Reads ids and versions of the live rows in an interval, and nothing else of them. */
        RowsDigest digest(RowIdInterval interval);
    }

    /**
     * Which versions of which rows there are, in 128 bits: two intervals with equal digests hold the same ones, but for an
     * accident of hashing. The order of rows does not matter. Comparable only between servers of one kind and release;
     * elsewhere equal rows may look different, never the other way round.
     *
     * @param rows how many
     * @param high sum of one hash of id and version over all rows, modulo 2^64
     * @param low sum of another
     */
    record RowsDigest(long rows, long high, long low) {}
}
