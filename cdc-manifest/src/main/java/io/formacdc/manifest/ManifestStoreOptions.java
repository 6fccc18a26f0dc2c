package io.formacdc.manifest;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcDefaults;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.ManifestForm;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.time.Clock;
import java.time.Duration;

/**
 * How a {@link ManifestStore} saves.
 *
 * @param newForm the document a new manifest is written in; an existing one keeps its form
 * @param singleWriterStore accept a store that ignores conditional writes; only one process may then write
 * @param maxRetries most further saves after a failed one, and most further reloads after a failed one; not negative
 * @param baseBackoff pause before the first of them, doubled before each further one; half of a pause is random
 * @param maxBackoff longest pause
 * @param clock gives {@code updated_at_ms}
 * @param sleeper pauses
 * @param listener told of each manifest read or saved, and of conflicts
 */
@RecordBuilder
@RecordBuilder.Options(enableWither = false, enableGetters = false)
public record ManifestStoreOptions(
        ManifestForm newForm,
        boolean singleWriterStore,
        int maxRetries,
        Duration baseBackoff,
        Duration maxBackoff,
        Clock clock,
        Sleeper sleeper,
        CdcListener listener) {

    /** What is used where nothing else is said. */
    public static final ManifestStoreOptions DEFAULTS = new ManifestStoreOptions(
            ManifestForm.TIERED,
            false,
            CdcDefaults.MAX_RETRIES,
            Duration.ofMillis(CdcDefaults.BASE_BACKOFF_MS),
            Duration.ofMillis(CdcDefaults.MAX_BACKOFF_MS),
            Clock.systemUTC(),
            duration -> Thread.sleep(duration.toMillis()),
            CdcListener.NONE);

    /** @throws IllegalArgumentException if a number is negative, or the first pause longer than the longest */
    public ManifestStoreOptions {
        if (maxRetries < 0 || baseBackoff.isNegative() || baseBackoff.compareTo(maxBackoff) > 0) {
            throw new IllegalArgumentException("maxRetries " + maxRetries + " and baseBackoff " + baseBackoff
                    + " may not be negative, nor baseBackoff longer than maxBackoff " + maxBackoff);
        }
    }

    /** {@link #DEFAULTS}, with the form and the kind of store that a flush configuration names. */
    public static ManifestStoreOptions of(CdcConfig config) {
        return builder()
                .newForm(config.manifestForm())
                .singleWriterStore(config.singleWriterStore())
                .build();
    }

    /** {@link #of(CdcConfig)}, with the retries and pauses of a compaction. */
    public static ManifestStoreOptions of(CdcConfig config, CompactionConfig compaction) {
        return of(config).toBuilder()
                .maxRetries(compaction.maxRetries())
                .baseBackoff(compaction.baseBackoff())
                .maxBackoff(compaction.maxBackoff())
                .build();
    }

    /** A builder that starts from {@link #DEFAULTS}. */
    public static ManifestStoreOptionsBuilder builder() {
        return DEFAULTS.toBuilder();
    }

    /** A builder that starts from this. */
    public ManifestStoreOptionsBuilder toBuilder() {
        return ManifestStoreOptionsBuilder.builder(this);
    }

    /** Waits. */
    @FunctionalInterface
    public interface Sleeper {
        /**
         * Waits for so long.
         *
         * @throws InterruptedException if the thread was interrupted, before or meanwhile
         */
        void sleep(Duration duration) throws InterruptedException;
    }
}
