package io.formacdc.core;

import static java.util.Objects.requireNonNull;

/**
 * How an initial export is to go.
 *
 * @param existingDeltas what becomes of deltas that are listed already
 * @param parallelFiles files exported at once; 0 for as many as {@code duckThreads} go into the cores of the machine
 */
public record BaseExportOptions(ExistingDeltas existingDeltas, int parallelFiles) {
    /** Refuse deltas; as many files at once as the cores allow. */
    public static final BaseExportOptions DEFAULTS = new BaseExportOptions(ExistingDeltas.REFUSE, 0);

    private static final int MAX_PARALLEL_FILES = 64;

    /** What becomes of deltas that are listed already. */
    public enum ExistingDeltas {
        /** The export is refused. */
        REFUSE,
        /** They are taken off the list by the save that puts the new base there; their objects stay for the grace. */
        REPLACE
    }

    /** @throws IllegalArgumentException if {@code parallelFiles} is not 0 to 64 */
    public BaseExportOptions {
        requireNonNull(existingDeltas, "existingDeltas");
        if (parallelFiles < 0 || parallelFiles > MAX_PARALLEL_FILES) {
            throw new IllegalArgumentException("parallelFiles " + parallelFiles + " must be 1 to " + MAX_PARALLEL_FILES
                    + ", or 0 to go by the cores");
        }
    }

    /** These, with existing deltas replaced. */
    public BaseExportOptions replacingDeltas() {
        return new BaseExportOptions(ExistingDeltas.REPLACE, parallelFiles);
    }

    /**
     * The number of files exported at once; at least 1.
     *
     * @param duckThreads threads of one of them
     */
    public int filesAtOnce(int duckThreads) {
        return parallelFiles > 0
                ? parallelFiles
                : Math.max(1, Math.min(MAX_PARALLEL_FILES, Runtime.getRuntime().availableProcessors() / duckThreads));
    }
}
