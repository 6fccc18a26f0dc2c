package io.formacdc.duckdb;

import io.formacdc.core.RowIdInterval;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Row ids that the caller of an export named. Immutable.
 *
 * @param sorted in byte order, distinct
 */
record GivenIds(List<UUID> sorted) {
    private static final int PIECES = 8;
    private static final int MIN_ROWS_OF_A_PIECE = 4096;
    /** The keys of a piece are held in memory. */
    private static final int MAX_ROWS_OF_A_PIECE = 32_768;

    static GivenIds of(List<UUID> rowIds) {
        List<UUID> sorted = new ArrayList<>(rowIds);
        sorted.sort(RowIdInterval.BYTE_ORDER);
        List<UUID> distinct = new ArrayList<>(sorted.size());
        for (UUID id : sorted) {
            if (distinct.isEmpty() || !id.equals(distinct.get(distinct.size() - 1))) {
                distinct.add(id);
            }
        }
        return new GivenIds(List.copyOf(distinct));
    }

    /** Ranges of about as many ids each, to be read side by side. */
    List<RowIdInterval> pieces() {
        int pieces = 1
                + Math.max(
                        Math.min(PIECES - 1, sorted.size() / MIN_ROWS_OF_A_PIECE), sorted.size() / MAX_ROWS_OF_A_PIECE);
        List<UUID> splits = new ArrayList<>();
        for (int i = 1; i < pieces; i++) {
            splits.add(sorted.get((int) ((long) sorted.size() * i / pieces)));
        }
        return RowIdInterval.pieces(null, sorted.get(sorted.size() - 1), splits);
    }

    /** Those of a range. */
    RowIdSet in(RowIdInterval range) {
        int from = range.after() == null ? 0 : countUpTo(range.after());
        int to = range.upTo() == null ? sorted.size() : countUpTo(range.upTo());
        return RowIdSet.of(sorted.subList(from, to));
    }

    private int countUpTo(UUID bound) {
        int found = Collections.binarySearch(sorted, bound, RowIdInterval.BYTE_ORDER);
        return found < 0 ? -found - 1 : found + 1;
    }

    /** PostgreSQL's text for an array of all. */
    String arrayText() {
        return sorted.stream().map(UUID::toString).collect(Collectors.joining(",", "{", "}"));
    }
}
