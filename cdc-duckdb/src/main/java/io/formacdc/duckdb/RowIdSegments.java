package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The pieces into which the bounds of some intervals cut all row ids, so that rows need to be sought in one list only,
 * however many intervals there are. Piece n is what lies after n of the bounds. Immutable.
 *
 * @param bounds ascending, distinct
 */
record RowIdSegments(List<UUID> bounds) {
    static RowIdSegments of(List<RowIdInterval> intervals) {
        TreeSet<UUID> bounds = new TreeSet<>(RowIdInterval.BYTE_ORDER);
        for (RowIdInterval interval : intervals) {
            if (interval.after() != null) {
                bounds.add(interval.after());
            }
            if (interval.upTo() != null) {
                bounds.add(interval.upTo());
            }
        }
        return new RowIdSegments(List.copyOf(bounds));
    }

    /** The pieces that an interval is made of. */
    IntStream of(RowIdInterval interval) {
        int first = interval.after() == null ? 0 : bounds.indexOf(interval.after()) + 1;
        int last = interval.upTo() == null ? bounds.size() : bounds.indexOf(interval.upTo());
        return IntStream.rangeClosed(first, last);
    }

    /** A table's rows with the number of their piece as {@code segment}. */
    String select(String table) {
        if (bounds.isEmpty()) {
            return "SELECT *, 0 AS segment FROM " + table;
        }
        String list = bounds.stream().map(b -> "'" + b + "'").collect(Collectors.joining(", "));
        return "SELECT r.*, coalesce(s.segment, 0) AS segment FROM " + table + " r ASOF LEFT JOIN (SELECT unnest(["
                + list + "]::UUID[]) AS bound, unnest(range(1, " + (bounds.size() + 1)
                + ")) AS segment) s ON r.row_id > s.bound";
    }

    /** Pieces that are part of any of the intervals. */
    BitSet covered(List<RowIdInterval> intervals) {
        BitSet covered = new BitSet();
        intervals.forEach(interval -> of(interval).forEach(covered::set));
        return covered;
    }
}
