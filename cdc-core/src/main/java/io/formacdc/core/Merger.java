package io.formacdc.core;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Writes the rows of many Parquet files of a schema anew, as few. Knows local files alone: whoever merges brings the
 * sources, and takes the results away.
 *
 * <p>Of each row id one version wins: the greatest {@code changed_at}, then the greatest {@code deleted_at}. What wins
 * keeps every value as it is. Of versions that are equal in both, a base's is kept; what {@code deleted_at} says by NULL,
 * in old files, is less than 0. Files of different generations are united by column name, as the view of readers unites
 * them. Columns stand in the order of the source with the newest row, and field ids stay with their names; where two
 * sources disagree about one, the newer decides.
 */
public interface Merger {
    /** Begins a merge of one schema. */
    Merge open(int schemaId);

    /**
     * One merge. There are two kinds of sources. A <em>base</em> holds no row id twice, and is read when it is merged. A
     * <em>loose</em> source may hold any version of any row; its row ids and versions are read when it is added, so that
     * questions about them cost nothing afterwards.
     *
     * <p>Thread-safe once all loose sources have been added; calls may wait for each other. A method that fails leaves no
     * file of its own. Interrupting the thread that waits for a method ends it with a {@link CdcInterruptedException}.
     */
    interface Merge extends AutoCloseable {
        /** A private folder for sources; {@link #close} deletes it with all that is in it. */
        Path folder();

        /**
         * Makes sure that a file can be merged. Every source passes this first.
         *
         * @return rows in it, as the file itself says
         * @throws CdcException naming the source, if it is no Parquet file, lacks {@code schema_id}, {@code row_id},
         *     {@code changed_at}, {@code deleted_at} or {@code ltbase_created_at}, has one of them with another type
         *     than a flush writes, or holds rows of another schema
         */
        long check(Source source);

        /**
         * Adds a loose source. Not after any of the methods below.
         *
         * @throws CdcException naming both sources, if there is no common type for a column of this and an earlier one
         */
        void addLoose(Source source);

        /** What the loose sources hold in each of these intervals, in their order. */
        List<LooseRows> looseRowsIn(List<RowIdInterval> intervals);

        /**
         * Writes base files: what wins in the interval among these bases and all loose sources, without tombstones,
         * every {@code deleted_at} 0. Rows are sorted by row id where memory allows.
         *
         * @param bases sources that hold no row id twice, neither one alone nor all together, and none outside the
         *     interval; may be empty
         * @param files how many to write, with about as many rows each; disjoint, in row-id order
         * @param progress told now and then, on any thread, how many rows have been written; must not throw
         * @return at most {@code files}, at least one; one without rows if nothing in the interval is alive
         * @throws CdcException naming the source, if a base holds a row id outside the interval, or a column for which
         *     there is no common type; then nothing has been written
         */
        List<LocalFile> writeBase(RowIdInterval interval, List<Source> bases, int files, LongConsumer progress);

        /**
         * Writes delta files: what wins outside the intervals among the loose sources of these keys, tombstones
         * included, and 0 for the {@code deleted_at} of live rows of old files, which had NULL. Rows are sorted by row
         * id where memory allows.
         *
         * @param keys of sources that have been added
         * @param files how many to write, with about as many rows each; disjoint, in row-id order
         * @return at most {@code files}; none if there is no row outside the intervals
         */
        List<LocalFile> writeDelta(Set<String> keys, List<RowIdInterval> without, int files);

        /** Deletes all files of this merge. Does not throw. */
        @Override
        void close();
    }

    /**
     * A local copy of an object.
     *
     * @param key of the object, for messages, and to tell sources apart
     * @param path inside {@link Merge#folder()}
     */
    record Source(String key, Path path) {}

    /**
     * Loose rows of an interval.
     *
     * @param rowIds distinct row ids
     * @param liveRowIds those of them whose newest loose version is no tombstone
     * @param rows rows, by key of their source; sources without any are left out
     */
    record LooseRows(long rowIds, long liveRowIds, Map<String, Long> rows) {
        public LooseRows {
            rows = Map.copyOf(rows);
        }
    }

    /**
     * A file that a merge has written.
     *
     * @param path inside {@link Merge#folder()}
     * @param contents what is in it, counted from the file itself
     */
    record LocalFile(Path path, FileContents contents) {}
}
