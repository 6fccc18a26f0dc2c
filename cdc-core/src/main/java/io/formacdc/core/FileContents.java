package io.formacdc.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is in a Parquet file.
 *
 * @param rowCount rows
 * @param sizeBytes length of the file
 * @param checksum {@code sha256:} and 64 hexadecimal digits, of the whole file; null if it was never read back
 * @param rowIds least and greatest row id; null when there is no row
 * @param versions least and greatest {@code changed_at}, epoch milliseconds; null when there is no row
 * @param columns DuckDB type by column name, in the order of the file
 */
public record FileContents(
        long rowCount,
        long sizeBytes,
        @Nullable String checksum,
        @Nullable RowIdRange rowIds,
        @Nullable VersionRange versions,
        Map<String, String> columns) {

    public FileContents {
        columns = Collections.unmodifiableMap(new LinkedHashMap<>(columns));
    }

    /**
     * The {@link #checksum} of a file.
     *
     * @throws CdcException if it cannot be read
     */
    public static String checksumOf(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return "sha256:" + HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new CdcException("a local file could not be read back: " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    /** Both ends inclusive, in byte order. */
    public record RowIdRange(UUID min, UUID max) {}

    /** Both ends inclusive, epoch milliseconds. */
    public record VersionRange(long minMillis, long maxMillis) {}
}
