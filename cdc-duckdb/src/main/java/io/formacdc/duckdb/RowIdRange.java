package io.formacdc.duckdb;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a table by row id.
 *
 * @param after exclusive lower bound; null for none
 * @param upTo inclusive upper bound; null for none
 */
record RowIdRange(@Nullable UUID after, @Nullable UUID upTo) {
    static final RowIdRange ALL = new RowIdRange(null, null);

    /** The pieces between two bounds that the splits make, in order. */
    static List<RowIdRange> pieces(@Nullable UUID after, UUID upTo, List<UUID> splits) {
        List<RowIdRange> pieces = new ArrayList<>();
        UUID lower = after;
        for (UUID split : splits) {
            pieces.add(new RowIdRange(lower, split));
            lower = split;
        }
        pieces.add(new RowIdRange(lower, upTo));
        return pieces;
    }

    /** {@code AND} conditions on a UUID column; ids of this form are safe in the text of a query. */
    String sqlOn(String column) {
        return (after == null ? "" : " AND " + column + " > '" + after + "'")
                + (upTo == null ? "" : " AND " + column + " <= '" + upTo + "'");
    }
}
