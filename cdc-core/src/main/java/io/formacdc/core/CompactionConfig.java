package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How base and delta files are kept in shape. Immutable. Zero, negative or empty means "not set". Field names are those
 * of Go's {@code CompactionConfig}.
 *
 * @param schemaId the one schema to compact; 0 for all
 * @param manifestPath one manifest, as {@code s3://bucket/key}, a key or a file; empty for those of the flush
 * @param targetBaseSizeMb size of a base file, in MB
 * @param maxDeltaSizeMb size up to which small deltas are consolidated, in MB
 * @param dirtyRatioPct a base file is rewritten when more than so many percent of its rows have changed
 * @param runInterval pause between two runs of a loop
 * @param tempPrefix prefix under which rewrites are staged
 * @param maxParallelFiles most files fetched, and parts rewritten, at once; 4 if not set
 * @param maxRetries most saves of a manifest after a lost precondition
 * @param baseBackoff pause before the first of them, doubled before each further one
 * @param maxBackoff longest pause
 */
@RecordBuilder
@RecordBuilder.Options(enableWither = false, enableGetters = false)
public record CompactionConfig(
        int schemaId,
        String manifestPath,
        int targetBaseSizeMb,
        int maxDeltaSizeMb,
        int dirtyRatioPct,
        Duration runInterval,
        String tempPrefix,
        int maxParallelFiles,
        int maxRetries,
        Duration baseBackoff,
        Duration maxBackoff) {

    /** A file comes out at up to one and a half times its target. */
    static final int MAX_FILE_SIZE_MB = 3_000;

    private static final CompactionConfig UNSET =
            new CompactionConfig(0, "", 0, 0, 0, Duration.ZERO, "", 0, 0, Duration.ZERO, Duration.ZERO);

    /** @throws NullPointerException if anything is null: what is not set is zero or empty */
    public CompactionConfig {
        requireNonNull(manifestPath, "manifestPath");
        requireNonNull(runInterval, "runInterval");
        requireNonNull(tempPrefix, "tempPrefix");
        requireNonNull(baseBackoff, "baseBackoff");
        requireNonNull(maxBackoff, "maxBackoff");
    }

    /** A builder in which nothing is set. */
    public static CompactionConfigBuilder builder() {
        return CompactionConfigBuilder.builder(UNSET);
    }

    /** A builder that starts from this. */
    public CompactionConfigBuilder toBuilder() {
        return CompactionConfigBuilder.builder(this);
    }

    /** A copy in which {@link CdcDefaults} stand where nothing was set. */
    public CompactionConfig withDefaults() {
        return toBuilder()
                .targetBaseSizeMb(targetBaseSizeMb <= 0 ? CdcDefaults.TARGET_BASE_SIZE_MB : targetBaseSizeMb)
                .maxDeltaSizeMb(maxDeltaSizeMb <= 0 ? CdcDefaults.MAX_DELTA_SIZE_MB : maxDeltaSizeMb)
                .dirtyRatioPct(dirtyRatioPct <= 0 ? CdcDefaults.DIRTY_RATIO_PCT : dirtyRatioPct)
                .maxRetries(maxRetries <= 0 ? CdcDefaults.MAX_RETRIES : maxRetries)
                .baseBackoff(isUnset(baseBackoff) ? Duration.ofMillis(CdcDefaults.BASE_BACKOFF_MS) : baseBackoff)
                .maxBackoff(isUnset(maxBackoff) ? Duration.ofMillis(CdcDefaults.MAX_BACKOFF_MS) : maxBackoff)
                .build();
    }

    /**
     * Returns this, if it can work. Defaults must be filled in before.
     *
     * @throws InvalidConfigException naming every problem
     */
    public CompactionConfig validate() {
        List<String> problems = new ArrayList<>();
        if (schemaId < 0 || schemaId > Short.MAX_VALUE) {
            problems.add("schemaId " + schemaId + " must be 1 to 32767, or 0 for all schemas");
        }
        if (targetBaseSizeMb > MAX_FILE_SIZE_MB || maxDeltaSizeMb > MAX_FILE_SIZE_MB) {
            problems.add("targetBaseSizeMb " + targetBaseSizeMb + " and maxDeltaSizeMb " + maxDeltaSizeMb
                    + " may not be above " + MAX_FILE_SIZE_MB + ": S3 takes no more in one request");
        }
        CompactionPaths.problemOfManifestPath(manifestPath)
                .ifPresent(problem -> problems.add("manifestPath \"" + manifestPath + "\" " + problem));
        CompactionPaths.problemOfTempPrefix(tempPrefix)
                .ifPresent(problem -> problems.add("tempPrefix \"" + tempPrefix + "\" " + problem));
        if (dirtyRatioPct > 100) {
            problems.add("dirtyRatioPct " + dirtyRatioPct + " is above 100");
        }
        if (baseBackoff.compareTo(maxBackoff) > 0) {
            problems.add("baseBackoff " + baseBackoff + " is longer than maxBackoff " + maxBackoff);
        }
        if (!problems.isEmpty()) {
            throw new InvalidConfigException(problems);
        }
        return this;
    }

    private static boolean isUnset(Duration duration) {
        return duration.isZero() || duration.isNegative();
    }
}
