package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Brings listed files to a merge, and lets none in that is not what its entry says. Thread-safe. */
final class SourceFiles {
    private final ObjectStore store;
    private final Merge merge;

    SourceFiles(ObjectStore store, Merge merge) {
        this.store = store;
        this.merge = merge;
    }

    /**
     * Fetches and verifies a file.
     *
     * @throws CdcException naming the file, if size or checksum are not those listed, or it cannot be merged
     */
    Source fetch(ManifestEntry entry) {
        Path path = merge.folder().resolve(UuidV7.next() + ".source.parquet");
        store.download(entry.key(), path);
        Long size = entry.sizeBytes();
        long actual = sizeOf(path);
        if (size != null && size > 0 && size != actual) {
            throw new CdcException("\"" + entry.key() + "\" has " + actual + " bytes, and is listed with " + size);
        }
        String checksum = entry.checksum();
        if (checksum != null && checksum.startsWith("sha256:")) {
            String found = FileContents.checksumOf(path);
            if (!found.equals(checksum)) {
                throw new CdcException(
                        "\"" + entry.key() + "\" has checksum " + found + ", and is listed with " + checksum);
            }
        }
        Source source = new Source(entry.key(), path);
        merge.check(source);
        return source;
    }

    private static long sizeOf(Path path) {
        try {
            return Files.size(path);
        } catch (IOException e) {
            throw new CdcException("a downloaded file cannot be read: " + e.getMessage(), e);
        }
    }
}
