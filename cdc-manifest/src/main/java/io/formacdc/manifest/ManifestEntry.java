package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file of a schema. Field names are those of Go's {@code ManifestEntry}; the last four have no counterpart there. What
 * is null is not known and is not written.
 *
 * <p>Bounds come from whoever wrote the entry. Newer Go deployments put the time of publication into the time slots and
 * bounds that are not in byte order into the row ids, so neither may be used to leave a file out.
 *
 * @param path key of the file in the bucket of the manifest, verbatim, or {@code s3://bucket/key}
 * @param minRowId least row id, as text
 * @param maxRowId greatest row id, as text
 * @param minTimeSlot least {@code changed_at}, epoch milliseconds
 * @param maxTimeSlot greatest {@code changed_at}, epoch milliseconds
 * @param sizeBytes length of the file
 * @param level {@link #BASE}, {@link #DELTA}, or a tier that this version does not know
 * @param rowCount rows in the file
 * @param checksum {@code sha256:} and 64 hexadecimal digits, of the whole file
 * @param columns DuckDB type by column name, in the order of the file; empty when not known
 * @param unknownKeys JSON text by key, of keys that this version does not know; written back as they are
 */
@RecordBuilder
@RecordBuilder.Options(enableWither = false, enableGetters = false)
public record ManifestEntry(
        String path,
        @Nullable String minRowId,
        @Nullable String maxRowId,
        @Nullable Long minTimeSlot,
        @Nullable Long maxTimeSlot,
        @Nullable Long sizeBytes,
        String level,
        @Nullable Long rowCount,
        @Nullable String checksum,
        Map<String, String> columns,
        Map<String, String> unknownKeys) {

    /** Level of files written by an initial export or a compaction. */
    public static final String BASE = "base";
    /** Level of files written by a flush, or consolidated from such. */
    public static final String DELTA = "delta";

    public ManifestEntry {
        columns = FrozenMap.copyOf(columns);
        unknownKeys = FrozenMap.copyOf(unknownKeys);
    }

    /** A file of level {@link #BASE}. */
    public static ManifestEntry base(String key, FileContents contents) {
        return of(BASE, key, contents);
    }

    /** A file of level {@link #DELTA}. */
    public static ManifestEntry delta(String key, FileContents contents) {
        return of(DELTA, key, contents);
    }

    /**
     * Refuses a copy of the file that is not what this lists, as far as this tells.
     *
     * @throws CdcException naming the key, if size or checksum is another, or the copy cannot be read
     */
    public void verify(Path copy) {
        long size = sizeOf(copy);
        if (sizeBytes != null && sizeBytes > 0 && sizeBytes != size) {
            throw new CdcException("\"" + key() + "\" has " + size + " bytes, and is listed with " + sizeBytes);
        }
        if (checksum != null && checksum.startsWith("sha256:")) {
            String found = FileContents.checksumOf(copy);
            if (!found.equals(checksum)) {
                throw new CdcException("\"" + key() + "\" has checksum " + found + ", and is listed with " + checksum);
            }
        }
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new CdcException("a downloaded file cannot be read: " + e.getMessage(), e);
        }
    }

    private static ManifestEntry of(String level, String key, FileContents contents) {
        FileContents.RowIdRange rowIds = contents.rowIds();
        FileContents.VersionRange versions = contents.versions();
        return new ManifestEntry(
                key,
                rowIds == null ? null : rowIds.min().toString(),
                rowIds == null ? null : rowIds.max().toString(),
                versions == null ? null : versions.minMillis(),
                versions == null ? null : versions.maxMillis(),
                contents.sizeBytes(),
                level,
                contents.rowCount(),
                contents.checksum(),
                contents.columns(),
                Map.of());
    }

    /** A builder that starts from this. */
    public ManifestEntryBuilder toBuilder() {
        return ManifestEntryBuilder.builder(this);
    }

    /** The key of the file: the path without {@code s3://bucket/}. */
    public String key() {
        return ManifestPaths.keyOf(path);
    }
}
