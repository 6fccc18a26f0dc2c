package io.formacdc.manifest;

import java.util.List;

/** What a compaction of a schema has come to so far. Files are before and after, off the list and on it. */
record CompactionFigures(int before, int after, int retired, int written, long bytesRetired, long bytesWritten) {
    static final CompactionFigures NONE = new CompactionFigures(0, 0, 0, 0, 0, 0);

    static CompactionFigures of(Manifest manifest) {
        int files = manifest.entries().size();
        return new CompactionFigures(files, files, 0, 0, 0, 0);
    }

    /** Flushes that were listed meanwhile are not ours to count. */
    CompactionFigures and(List<ManifestEntry> retiredEntries, List<ManifestEntry> writtenEntries) {
        return new CompactionFigures(
                before,
                after - retiredEntries.size() + writtenEntries.size(),
                retired + retiredEntries.size(),
                written + writtenEntries.size(),
                bytesRetired + bytesOf(retiredEntries),
                bytesWritten + bytesOf(writtenEntries));
    }

    static long bytesOf(List<ManifestEntry> entries) {
        return entries.stream()
                .map(ManifestEntry::sizeBytes)
                .mapToLong(size -> size == null ? 0 : size)
                .sum();
    }
}
