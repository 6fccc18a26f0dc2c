package io.formacdc.duckdb;

import io.formacdc.core.Transport;
import java.util.Optional;

/** How a flush of the tests gets rows from PostgreSQL to the bucket. */
enum Way {
    BUILT_IN,
    /** By the extensions in the folder that {@code CDC_TEST_DUCKDB_EXTENSIONS} names. */
    EXTENSIONS,
    /** As by extensions, with {@link StandInExtensions} in their place. */
    STAND_IN;

    private static final String FOLDER = "CDC_TEST_DUCKDB_EXTENSIONS";

    Transport transport() {
        return this == BUILT_IN ? Transport.BUILT_IN : Transport.EXTENSIONS;
    }

    String directory() {
        return this == EXTENSIONS ? Optional.ofNullable(System.getenv(FOLDER)).orElseThrow() : "";
    }

    /** Why this way cannot be gone here, if so. */
    Optional<String> obstacle() {
        return this != EXTENSIONS || System.getenv(FOLDER) != null
                ? Optional.empty()
                : Optional.of(FOLDER + " names no folder with DuckDB's extensions postgres and httpfs");
    }
}
