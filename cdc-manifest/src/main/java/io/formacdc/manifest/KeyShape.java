package io.formacdc.manifest;

import io.formacdc.core.CdcPaths;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * What a key says of who wrote its object. Only keys of exactly these shapes are ever judged by a sweep; a look-alike is
 * nobody's to delete.
 */
public enum KeyShape {
    /** {@code {uuid}.parquet}, by a flush. */
    FLUSHED("U"),
    /** {@code {min}_{max}.parquet} or {@code {min}_{max}_{uuid}.parquet}, by an initial export. */
    EXPORTED_BASE("U_U(?:_U)?"),
    /** {@code base-{uuid}.parquet}, by a compaction. */
    COMPACTED_BASE("base-U"),
    /** {@code delta-{uuid}.parquet}, by a compaction. */
    CONSOLIDATED_DELTA("delta-U"),
    /** {@code _tmp/{uuid}.parquet}, on its way. */
    STAGED("_tmp/U"),
    /** Anything else. */
    UNKNOWN("(?!)");

    private static final String UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

    private final Pattern name;

    KeyShape(String name) {
        this.name = Pattern.compile(name.replace("U", UUID) + "\\.parquet");
    }

    /**
     * The shape of a key under this very prefix and schema.
     *
     * @param prefix of data inside the bucket, as flushes use it; may be empty
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public static KeyShape of(String prefix, int schemaId, String key) {
        String folder = CdcPaths.schemaPrefix(prefix, schemaId);
        return key.startsWith(folder) ? ofName(key.substring(folder.length())) : UNKNOWN;
    }

    /** The shape of a listed key, which may have been written under another prefix. */
    static KeyShape ofListed(int schemaId, String key) {
        int slash = key.lastIndexOf('/');
        String folder = "/" + key.substring(0, Math.max(0, slash));
        return folder.endsWith("/" + schemaId) ? ofName(key.substring(slash + 1)) : UNKNOWN;
    }

    private static KeyShape ofName(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.name.matcher(name).matches())
                .findFirst()
                .orElse(UNKNOWN);
    }
}
