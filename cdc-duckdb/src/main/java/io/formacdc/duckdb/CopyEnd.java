package io.formacdc.duckdb;

import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The end that all sources of one export have in common: what one of them fails of is the end of the others, which would
 * fail of it too, in words that hide what it was. Thread-safe.
 */
final class CopyEnd {
    /** What PostgreSQL says to who joins a snapshot whose transaction is over: undefined object, or not in that state. */
    private static final Set<String> SNAPSHOT_IS_GONE = Set.of("42704", "55000");

    private @Nullable Throwable failure;
    private volatile boolean isReached;

    /** Ends the reading. Keeps the first failure, unless that is but what came of another one. */
    synchronized void failed(Throwable cause) {
        if (failure == null || isConsequence(failure)) {
            failure = cause;
        }
        isReached = true;
    }

    private static boolean isConsequence(Throwable failure) {
        return failure instanceof SQLException e && SNAPSHOT_IS_GONE.contains(String.valueOf(e.getSQLState()));
    }

    /** Readers stop where they are, as if there were no more rows; what was read is good for nothing then. */
    void reached() {
        isReached = true;
    }

    boolean isReached() {
        return isReached;
    }

    synchronized @Nullable Throwable failure() {
        return failure;
    }
}
