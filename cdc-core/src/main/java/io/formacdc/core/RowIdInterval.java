package io.formacdc.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Row ids next to each other in byte order.
 *
 * @param after exclusive lower bound; null for none
 * @param upTo inclusive upper bound; null for none
 */
public record RowIdInterval(@Nullable UUID after, @Nullable UUID upTo) {
    /** Every row id. */
    public static final RowIdInterval ALL = new RowIdInterval(null, null);

    /** The order of PostgreSQL and of DuckDB, which is not that of {@link UUID#compareTo}: that one knows signs. */
    public static final Comparator<UUID> BYTE_ORDER = (a, b) -> {
        int high = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return high != 0 ? high : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
    };

    /** The intervals between two bounds that the splits make, in order. */
    public static List<RowIdInterval> pieces(@Nullable UUID after, @Nullable UUID upTo, List<UUID> splits) {
        List<RowIdInterval> pieces = new ArrayList<>();
        UUID lower = after;
        for (UUID split : splits) {
            pieces.add(new RowIdInterval(lower, split));
            lower = split;
        }
        pieces.add(new RowIdInterval(lower, upTo));
        return pieces;
    }

    /** Whether a row id lies between the bounds. */
    public boolean contains(UUID rowId) {
        return (after == null || BYTE_ORDER.compare(after, rowId) < 0)
                && (upTo == null || BYTE_ORDER.compare(rowId, upTo) <= 0);
    }
}
