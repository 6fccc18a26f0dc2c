package io.formacdc.manifest;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What several workers are at, for messages. Thread-safe. */
final class WorkSteps {
    private @Nullable String failed;

    /** Remembers what the first worker that failed was at; the others are interrupted because of it. */
    <T extends @Nullable Object> T during(String step, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            synchronized (this) {
                failed = failed == null ? step : failed;
            }
            throw e;
        }
    }

    /** What the first worker that failed was at; null if none has. */
    synchronized @Nullable String failed() {
        return failed;
    }
}
