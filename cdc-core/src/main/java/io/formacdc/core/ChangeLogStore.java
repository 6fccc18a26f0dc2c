package io.formacdc.core;

import java.util.List;
import java.util.Optional;

/** The change log as a pass uses it. */
public interface ChangeLogStore {
    /**
     * Every schema with dirty rows, in ascending order of id, by one statement however many there are.
     *
     * @throws CdcException if there are some, and whoever asks may not mark them: their files would be put and listed
     *     again by each pass
     */
    List<DirtySchema> dirtySchemas();

    /** Takes the schema's lock; empty if another session holds it. */
    Optional<Locked> tryLock(int schemaId);

    /**
     * What is dirty in a schema.
     *
     * @param rows dirty rows
     * @param oldestChangedAtMillis least version among them, epoch milliseconds
     */
    record DirtySchema(int schemaId, long rows, long oldestChangedAtMillis) {}

    /**
     * The change log of a schema while its lock is held, on the lock's own session: once that session is lost, so is the
     * lock, and every method here fails.
     */
    interface Locked extends AutoCloseable {
        /** What is dirty now. */
        ChangeLog.Stats stats();

        /**
         * Marks exactly these versions flushed, in one statement. Rows that have another version or another {@code xmin}
         * by now stay dirty, and so do rows that another transaction holds: a mark waits for no writer.
         *
         * @param flushedAtMillis the instant to record, sampled after the file was listed
         * @return rows marked
         */
        long markFlushedVersions(RowVersions versions, long flushedAtMillis);

        /** Releases the lock, and its session. Does not throw: a session that is gone holds no lock. */
        @Override
        void close();
    }
}
