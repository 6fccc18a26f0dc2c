package io.formacdc.manifest;

import io.formacdc.core.RowIdInterval;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a compaction of a schema will do with each listed file, and why. Immutable; made without effects.
 *
 * @param manifestVersion version of the manifest that it was made for; 0 when there is none
 * @param files every listed file, in the order of the manifest
 * @param rewrites parts of the base tier to write anew, in row-id order; disjoint
 * @param consolidation deltas to write anew, without the rows that go into the base tier; null for none
 */
public record CompactionPlan(
        int schemaId,
        long manifestVersion,
        List<FileDecision> files,
        List<BaseRewrite> rewrites,
        @Nullable Consolidation consolidation) {

    public CompactionPlan {
        files = List.copyOf(files);
        rewrites = List.copyOf(rewrites);
    }

    /** What becomes of a file. */
    public enum Action {
        /** It stays as it is. */
        KEEP,
        /** Its rows go into new files, and it is retired. */
        MERGE,
        /** It has no rows worth keeping, and is retired. */
        DROP
    }

    /**
     * One listed file.
     *
     * @param key of the object
     * @param level as listed
     * @param sizeBytes as listed; 0 when not known
     * @param reason why, in words
     */
    public record FileDecision(String key, String level, long sizeBytes, Action action, String reason) {}

    /**
     * Base files written anew, from old ones and from delta rows.
     *
     * @param interval row ids that it covers; a delta row in it goes into the new files
     * @param baseKeys the base files in it; empty for rows beyond every base file
     * @param files how many to write, at most
     * @param predictedRows rows of all of them, roughly
     * @param predictedBytes size of all of them, roughly
     */
    public record BaseRewrite(
            RowIdInterval interval, List<String> baseKeys, int files, long predictedRows, long predictedBytes) {
        public BaseRewrite {
            baseKeys = List.copyOf(baseKeys);
        }
    }

    /**
     * Deltas written anew.
     *
     * @param keys of the deltas
     * @param files how many to write, at most; 0 when nothing of them is left
     * @param predictedRows rows of all of them, at most
     * @param predictedBytes size of all of them, roughly
     */
    public record Consolidation(Set<String> keys, int files, long predictedRows, long predictedBytes) {
        public Consolidation {
            keys = Set.copyOf(keys);
        }
    }

    /** Whether every file stays as it is. */
    public boolean isEmpty() {
        return filesTakenUp() == 0;
    }

    /** Bytes that the plan will write, roughly. */
    public long predictedBytes() {
        long base = rewrites.stream().mapToLong(BaseRewrite::predictedBytes).sum();
        return base + (consolidation == null ? 0 : consolidation.predictedBytes());
    }

    /** Rows that the plan will write, roughly. */
    public long predictedRows() {
        long base = rewrites.stream().mapToLong(BaseRewrite::predictedRows).sum();
        return base + (consolidation == null ? 0 : consolidation.predictedRows());
    }

    /** Files that will be retired. */
    public int filesTakenUp() {
        return (int) takenUp().count();
    }

    /** Size of the files that will be retired. */
    public long bytesTakenUp() {
        return takenUp().mapToLong(FileDecision::sizeBytes).sum();
    }

    private Stream<FileDecision> takenUp() {
        return files.stream().filter(file -> file.action() != Action.KEEP);
    }

    /** Every file with what will be done, why, and what will be written in the end; one line each. */
    public String explain() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "schema %d, manifest version %d: %s%n",
                schemaId,
                manifestVersion,
                isEmpty()
                        ? "nothing to do"
                        : "writes about " + size(predictedBytes()) + " in place of " + size(bytesTakenUp())));
        for (FileDecision file : files) {
            text.append(String.format(
                    Locale.ROOT,
                    "  %-5s %-5s %9s  %s: %s%n",
                    file.action().name().toLowerCase(Locale.ROOT),
                    file.level(),
                    size(file.sizeBytes()),
                    file.key(),
                    file.reason()));
        }
        for (BaseRewrite rewrite : rewrites) {
            text.append(String.format(
                    Locale.ROOT,
                    "  write base  %9s  %s, from %d base files and the delta rows of %s%n",
                    size(rewrite.predictedBytes()),
                    count(rewrite.files()),
                    rewrite.baseKeys().size(),
                    describe(rewrite.interval())));
        }
        if (consolidation != null && consolidation.files() > 0) {
            text.append(String.format(
                    Locale.ROOT,
                    "  write delta %9s  %s, from %d deltas%n",
                    size(consolidation.predictedBytes()),
                    count(consolidation.files()),
                    consolidation.keys().size()));
        }
        return text.toString();
    }

    private static String describe(RowIdInterval interval) {
        if (interval.after() == null && interval.upTo() == null) {
            return "every row id";
        }
        return (interval.after() == null ? "" : "row ids after " + interval.after())
                + (interval.after() == null || interval.upTo() == null ? "" : " ")
                + (interval.upTo() == null ? "" : "up to " + interval.upTo());
    }

    private static String count(int files) {
        return files == 1 ? "1 file" : "up to " + files + " files";
    }

    private static String size(long bytes) {
        if (bytes < 1_000_000) {
            return String.format(Locale.ROOT, "%.1f kB", bytes / 1e3);
        }
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
