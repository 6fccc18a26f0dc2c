package io.formacdc.core;

import java.time.Duration;

/** Values that {@code withDefaults()} puts where a configuration says nothing. */
public final class CdcDefaults {
    public static final String CHANGE_LOG_TABLE = "change_log";
    public static final String ENTITY_MAIN_TABLE = "entity_main";
    public static final String EAV_DATA_TABLE = "eav_data";
    public static final String PARQUET_COMPRESSION = "zstd";
    public static final int PARQUET_COMPRESSION_LEVEL = 3;
    public static final int MIN_RECORDS = 20_000;
    public static final long MAX_AGE_MS = 3_600_000;
    public static final int ESTIMATED_ROW_BYTES = 1024;
    public static final long MAX_BATCH_BYTES = 50L * 1024 * 1024;
    public static final int BATCH_SIZE = 10_000;
    public static final int TARGET_BASE_SIZE_MB = 256;
    public static final int TARGET_FILE_SIZE_MB = 256;
    public static final int MAX_BATCH_SIZE = 10_000_000;
    public static final int MAX_DELTA_SIZE_MB = 50;
    public static final int DIRTY_RATIO_PCT = 5;
    public static final int MAX_RETRIES = 5;
    public static final int BASE_BACKOFF_MS = 100;
    public static final int MAX_BACKOFF_MS = 10_000;
    public static final int PG_PORT = 5432;
    public static final String PG_SSL_MODE = "require";
    public static final int DUCK_THREADS = 4;
    public static final String DUCK_MEM_LIMIT = "4GB";
    public static final Duration QUERY_TIMEOUT = Duration.ofMinutes(5);
    public static final String MANIFEST_TEMPLATE = "manifest/{{.SchemaID}}.json";

    private CdcDefaults() {}
}
