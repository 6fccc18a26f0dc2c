package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
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
        entry.verify(path);
        Source source = new Source(entry.key(), path);
        merge.check(source);
        return source;
    }
}
