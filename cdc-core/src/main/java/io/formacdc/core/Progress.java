package io.formacdc.core;

/**
 * How far a long piece of work on a schema is. Where several threads are at it, the stage is that of one of them.
 *
 * @param rows rows read from PostgreSQL, or written anew by a compaction
 * @param bytes bytes put into the bucket; while a compaction fetches its sources, bytes fetched
 */
public record Progress(int schemaId, Task task, Stage stage, Amount rows, Amount bytes) {
    /** What is being done. */
    public enum Task {
        /** Dirty rows become deltas. */
        FLUSH,
        /** Live rows become a base. */
        BASE_EXPORT,
        /** Files become fewer. */
        COMPACTION
    }

    /** Which step of it. */
    public enum Stage {
        /** Files come from the bucket. */
        FETCH,
        /** Rows of PostgreSQL go to a local file. */
        EXPORT,
        /** Rows of fetched files go to local ones. */
        MERGE,
        /** A local file goes to the bucket. */
        UPLOAD,
        /** Staged objects are copied to their places. */
        PLACE
    }

    /**
     * So much of so much.
     *
     * @param total 0 when not known; of a compaction's rows and bytes, what its plan predicts
     */
    public record Amount(long done, long total) {
        /** Nothing of an unknown whole. */
        public static final Amount NONE = new Amount(0, 0);
    }
}
