package io.formacdc.core;

import java.util.UUID;

/**
 * The keys of a schema's objects. One trailing slash of the prefix is trimmed. Unlike the Go builders, an empty prefix
 * gives a key without a leading slash, because object stores treat {@code /7/x} and {@code 7/x} as two keys.
 */
public final class CdcPaths {
    private CdcPaths() {}

    /** {@code {prefix}/{schemaId}/{fileUuid}.parquet}, where a flushed delta lives. */
    public static String buildDeltaPath(String prefix, int schemaId, UUID fileUuid) {
        return schemaPrefix(prefix, schemaId) + fileUuid + ".parquet";
    }

    /** {@code {prefix}/{schemaId}/_tmp/{fileUuid}.parquet}, where a delta is staged. */
    public static String buildTempPath(String prefix, int schemaId, UUID fileUuid) {
        return schemaPrefix(prefix, schemaId) + "_tmp/" + fileUuid + ".parquet";
    }

    /**
     * {@code {prefix}/{schemaId}/{minRowId}_{maxRowId}.parquet}, where Go puts a base file of a first export. The bounds are
     * the least and the greatest row id in the file, in byte order.
     */
    public static String buildBasePath(String prefix, int schemaId, UUID minRowId, UUID maxRowId) {
        return schemaPrefix(prefix, schemaId) + minRowId + "_" + maxRowId + ".parquet";
    }

    /**
     * {@code {prefix}/{schemaId}/{minRowId}_{maxRowId}_{fileUuid}.parquet}, where a base file of an export lives: no object that
     * is listed, or was, is ever overwritten, even by an export whose lock is lost.
     */
    public static String buildBasePath(String prefix, int schemaId, UUID minRowId, UUID maxRowId, UUID fileUuid) {
        return schemaPrefix(prefix, schemaId) + minRowId + "_" + maxRowId + "_" + fileUuid + ".parquet";
    }

    /** {@code {prefix}/{schemaId}/_tmp/{fileUuid}.parquet}, where a base file is staged. */
    public static String buildBaseTempPath(String prefix, int schemaId, UUID fileUuid) {
        return buildTempPath(prefix, schemaId, fileUuid);
    }

    /** {@code {prefix}/{schemaId}/}, under which all of a schema's objects live. */
    public static String schemaPrefix(String prefix, int schemaId) {
        return underPrefix(prefix, SchemaIds.check(schemaId) + "/");
    }

    static String underPrefix(String prefix, String rest) {
        String trimmed = prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
        return trimmed.isEmpty() ? rest : trimmed + "/" + rest;
    }
}
