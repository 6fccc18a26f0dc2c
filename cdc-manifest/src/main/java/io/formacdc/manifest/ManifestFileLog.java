package io.formacdc.manifest;

import io.formacdc.core.FileLog;
import io.formacdc.core.FlushedFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists flushed files in manifests, fenced: an append is refused when another flush has appended since {@link #open}. A
 * compaction in between is harmless. Thread-safe; an {@link io.formacdc.core.FileLog.Appender} is confined to a thread.
 *
 * <p>A key that is listed already counts as appended, so that an append whose outcome was unknown may be tried again
 * with the same key.
 *
 * <p>An append is refused, too, if a column of the file and one of a listed file have types that no reader could unite
 * ({@link ColumnTypes}): nobody could read the schema any more.
 *
 * <p>An append that begins a manifest, though the file's folder holds files that only an older manifest can have listed,
 * logs a warning, at the cost of one list request where the client can list. It is not refused.
 */
public final class ManifestFileLog implements FileLog {
    private final ManifestStore store;

    public ManifestFileLog(ManifestStore store) {
        this.store = store;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    @Override
    public Appender open(int schemaId) {
        ManifestWriter writer = new ManifestWriter();
        return new FencedAppender(store.load(schemaId, writer), writer);
    }

    private final class FencedAppender implements Appender {
        private final Fence fence;
        private final ManifestWriter writer;
        /** As last seen; where it is outdated, the next save finds out. */
        private StoredManifest current;

        FencedAppender(StoredManifest opened, ManifestWriter writer) {
            this.fence = new Fence(opened.manifest());
            this.writer = writer;
            this.current = opened;
        }

        @Override
        public void append(FlushedFile file) {
            boolean isFirst = !current.exists();
            current = store.update(current, new FlushAppend(file, fence), writer);
            fence.appended(file.key());
            if (isFirst) {
                LostManifest.warnIfTraced(store.objects(), current.manifest().schemaId(), file.key());
            }
        }
    }

    private record FlushAppend(FlushedFile file, Fence fence) implements ManifestChange {
        @Override
        public String key() {
            return file.key();
        }

        @Override
        public List<String> listedKeys() {
            return List.of(file.key());
        }

        @Override
        public Manifest applyTo(Manifest manifest) {
            fence.check(manifest);
            ColumnTypes.refuseUnlessUnitable(manifest, file);
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(ManifestEntry.delta(file.key(), file.contents()));
            return manifest.toBuilder()
                    .entries(entries)
                    .flushSeq(manifest.flushSeq() + 1)
                    .build();
        }
    }
}
