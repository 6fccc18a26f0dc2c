package io.formacdc.core;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Turns dirty rows into Parquet files. */
public interface SnapshotExporter {
    /**
     * Fixes one instant of a schema's tables; every read through the snapshot sees that instant.
     *
     * @param attributes what to project; null for every hot column under its own name and the rest as a list
     * @throws CdcException if the tables do not have what the attributes name, before anything is read or written
     */
    Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes);

    /**
     * Makes sure, as far as that is possible without an export, that what exports need is on this machine. For a dry run:
     * it fails here as an export would.
     *
     * @throws CdcException that names what is missing
     */
    default void requireReady() {}

    /** One instant of one schema. Confined to a thread; closing it twice is harmless. */
    interface Snapshot extends AutoCloseable {
        /** The greatest id of a row, in byte order; null when there is none. */
        @Nullable
        UUID lastRowId();

        /**
         * The next rows in byte order of their ids.
         *
         * @param afterRowId exclusive lower bound; null for the beginning
         * @param upToRowId inclusive upper bound
         * @param maxRows most rows of the chunk, at least 1
         * @return null when no row is left
         */
        @Nullable
        Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows);

        /**
         * Writes the rows between a chunk's bounds to a file that nobody else knows of. On failure, and after {@link
         * Exported#close()}, no file is left. All its rows are of one instant: that of the snapshot, or, of an exporter
         * that cannot share it, a later one, at which there may be other rows between the bounds.
         *
         * @param progress told now and then, on any thread, how many rows have been read; must not throw
         * @throws CdcInterruptedException if the calling thread was interrupted
         * @throws FencedException if there is no such row any more, which only another flush can have brought about
         */
        Exported export(Chunk chunk, LongConsumer progress);

        @Override
        void close();
    }

    /**
     * Rows next to each other in row-id order.
     *
     * @param afterRowId exclusive lower bound; null for none
     * @param lastRowId inclusive upper bound, the id of the last row
     * @param rowCount rows between the bounds
     * @param splits ids inside the bounds, ascending, that part the chunk into pieces of about equal size
     */
    record Chunk(@Nullable UUID afterRowId, UUID lastRowId, long rowCount, List<UUID> splits) {
        public Chunk {
            splits = List.copyOf(splits);
        }
    }

    /** A Parquet file that is not in its place yet, wherever it is until then. */
    interface Exported extends AutoCloseable {
        /** What is in it, counted from the file itself. */
        FileContents contents();

        /** The row versions that were streamed into it. */
        RowVersions versions();

        /** By attribute name, values that did not fit the declared type and became NULL. */
        Map<String, Long> lossyCasts();

        /**
         * Puts the file in its place, and makes sure, as far as the store can tell, that all of it is there. At most once.
         * After a failure the caller deletes what may be at the key.
         *
         * @param key never used before
         * @throws CdcException if it is not there, or perhaps not
         */
        void deliver(ObjectStore store, String key);

        /** Deletes the file, but not what was delivered. Does not throw. */
        @Override
        void close();
    }

    /**
     * A Parquet file on the local disk.
     *
     * @param path where it is, until closed
     */
    record ExportedFile(Path path, FileContents contents, RowVersions versions, Map<String, Long> lossyCasts)
            implements Exported {
        public ExportedFile {
            lossyCasts = Map.copyOf(lossyCasts);
        }

        @Override
        public void deliver(ObjectStore store, String key) {
            store.put(key, path);
            long stored = store.head(key).sizeBytes();
            if (stored != contents.sizeBytes()) {
                throw new CdcException("the store holds " + stored + " bytes of " + contents.sizeBytes());
            }
        }

        @Override
        public void close() {
            LocalFiles.deleteIfExists(path);
        }
    }
}
