package io.formacdc.core;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Turns dirty rows into Parquet files on the local disk. */
public interface SnapshotExporter {
    /**
     * Fixes one instant of a schema's tables; every read through the snapshot sees that instant.
     *
     * @param attributes what to project; null for every hot column under its own name and the rest as a list
     * @throws CdcException if the tables do not have what the attributes name, before anything is read or written
     */
    Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes);

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
         * Writes a chunk's rows to a private file. On failure, and after {@link ExportedFile#close()}, no file is left.
         *
         * @param progress told now and then, on any thread, how many rows have been read; must not throw
         * @throws CdcInterruptedException if the calling thread was interrupted
         */
        ExportedFile export(Chunk chunk, LongConsumer progress);

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

    /**
     * A Parquet file on the local disk.
     *
     * @param path where it is, until closed
     * @param contents what is in it, counted from the file itself
     * @param versions the row versions that were streamed into it
     * @param lossyCasts by attribute name, values that did not fit the declared type and became NULL
     */
    record ExportedFile(Path path, FileContents contents, RowVersions versions, Map<String, Long> lossyCasts)
            implements AutoCloseable {
        public ExportedFile {
            lossyCasts = Map.copyOf(lossyCasts);
        }

        /** Deletes the file. */
        @Override
        public void close() {
            LocalFiles.deleteIfExists(path);
        }
    }
}
