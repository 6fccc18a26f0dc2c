package io.formacdc.manifest;

import java.time.Duration;

/**
 * How long a {@link Sweeper} waits.
 *
 * @param grace from the retirement of a file, or the first sighting of an orphan, to its deletion; longer than any reader
 *     goes on with a list that it has resolved. An object younger than this is not looked at either
 * @param stagedGrace from the writing of a staged object to its deletion; longer than any export or merge takes
 */
public record SweepOptions(Duration grace, Duration stagedGrace) {
    private static final Duration MAX = Duration.ofDays(3650);

    /** 15 minutes, and a day. */
    public static final SweepOptions DEFAULTS = new SweepOptions(Duration.ofMinutes(15), Duration.ofDays(1));

    /** @throws IllegalArgumentException if one of them is not positive, or longer than ten years */
    public SweepOptions {
        boolean tooLong = grace.compareTo(MAX) > 0 || stagedGrace.compareTo(MAX) > 0;
        if (tooLong || grace.isNegative() || grace.isZero() || stagedGrace.isNegative() || stagedGrace.isZero()) {
            throw new IllegalArgumentException(
                    "grace " + grace + " and stagedGrace " + stagedGrace
                            + " must be positive, and at most ten years: a reader may still be at a file that was just retired");
        }
    }
}
