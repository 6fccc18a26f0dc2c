package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.Merger;
import io.formacdc.core.SchemaIds;

/**
 * Merges in a DuckDB of its own, in memory, that spills to the merge's folder. Thread-safe; holds nothing between two
 * merges.
 *
 * @param config with defaults, validated; {@code duckDbPath} is of no use to a merge
 * @param listener told of DuckDB's memory; must not throw
 */
record DuckMerger(CdcConfig config, CdcListener listener) implements Merger {
    DuckMerger(CdcConfig config) {
        this(config, CdcListener.NONE);
    }

    @Override
    public Merge open(int schemaId) {
        return DuckMerge.open(config, SchemaIds.check(schemaId), listener);
    }
}
