package io.formacdc.core;

/** How the rows of a flush get from PostgreSQL to the bucket. Files hold the same rows and values either way. */
public enum Transport {
    /**
     * Rows are read by JDBC, and files are put by the host's S3 client. DuckDB sees no network, no credential and no
     * extension.
     */
    BUILT_IN,
    /**
     * DuckDB reads and writes by its extensions {@code postgres} and {@code httpfs}, which have to be there: the object is
     * staged, and the host's client, which need not do more than copy and delete, promotes it.
     */
    EXTENSIONS
}
