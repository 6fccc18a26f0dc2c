package io.formacdc.core;

/**
 * The list of a schema's files, to which a flush appends. This is the commit point: a file is part of the lake when,
 * and only when, it is listed.
 */
public interface FileLog {
    /**
     * Loads the schema's list and remembers where it stood. Must be called <em>before</em> the snapshot is taken: that
     * order is what makes the fence of {@link Appender#append} sound.
     *
     * @throws InvalidManifestException if the list is there and cannot be used; it is left as it is
     * @throws ObjectStoreException if it cannot be read
     */
    Appender open(int schemaId);

    /** One pass over one schema. Confined to a thread. */
    interface Appender {
        /**
         * Lists a file whose object is in its place. When this returns, the file is listed. Where it is known not to be,
         * the caller deletes the object.
         *
         * @throws FencedException if another flush has appended since {@link FileLog#open}; not listed
         * @throws CommitStateUnknownException if it may or may not be listed; also after an interrupt between two tries
         * @throws InvalidManifestException if the list became unusable meanwhile, or would by this; not listed
         * @throws CdcException of any other kind if it is known not to be listed, now or later
         */
        void append(FlushedFile file);
    }
}
