package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.UuidV7;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The objects of one initial export, on their way from the local disk to the keys that are listed. Thread-safe. */
final class BaseFiles {
    private static final Logger LOG = LoggerFactory.getLogger(BaseFiles.class);

    private static final int REQUESTS_AT_ONCE = 8;

    private final ObjectStore store;
    private final String prefix;
    private final int schemaId;
    private final List<String> placed = Collections.synchronizedList(new ArrayList<>());

    BaseFiles(ObjectStore store, String prefix, int schemaId) {
        this.store = store;
        this.prefix = prefix;
        this.schemaId = schemaId;
    }

    /** A journal of what is staged; see {@link ExportJournal#ExportJournal}. */
    ExportJournal newJournal(String settings, Map<String, String> columns) {
        return new ExportJournal(store, prefix, schemaId, settings, columns);
    }

    /** A key under which no object is, for a file to be staged at. */
    String newStagedKey() {
        return CdcPaths.buildBaseTempPath(prefix, schemaId, UuidV7.next());
    }

    /** Stages a file. On failure nothing is left there, if it can be deleted. */
    void stage(ExportedFile file, String key) {
        try {
            store.put(key, file.path());
            checkSize(key, file.contents());
        } catch (RuntimeException e) {
            deleteAfter(e, key);
            throw e;
        }
    }

    /** Whether the file of a range is in its staged place still, as far as its size says. */
    boolean isStaged(ExportedRange range) {
        try {
            return store.head(range.stagedKey()).sizeBytes() == range.contents().sizeBytes();
        } catch (ObjectNotFoundException e) {
            return false;
        }
    }

    /** Copies staged files to their final keys; entries in the order of the ranges. */
    List<ManifestEntry> place(List<ExportedRange> ranges, WorkProgress progress) {
        return ParallelWork.map(ranges, REQUESTS_AT_ONCE, range -> {
            ManifestEntry entry = place(range);
            progress.add(
                    Stage.PLACE, range.contents().rowCount(), range.contents().sizeBytes());
            return entry;
        });
    }

    private ManifestEntry place(ExportedRange range) {
        String key = finalKey(range.contents());
        placed.add(key);
        store.copy(range.stagedKey(), key);
        checkSize(key, range.contents());
        return ManifestEntry.base(key, range.contents());
    }

    /**
     * A key under which no object is or ever was. Were it made of the rows alone, two exports of the same rows could have
     * the same, and the one would overwrite or delete what the other has listed: a lock that is lost keeps neither away.
     */
    private String finalKey(FileContents contents) {
        FileContents.RowIdRange rows = contents.rowIds();
        return rows == null
                ? CdcPaths.schemaPrefix(prefix, schemaId) + "base-" + UuidV7.next() + ".parquet"
                : CdcPaths.buildBasePath(prefix, schemaId, rows.min(), rows.max(), UuidV7.next());
    }

    private void checkSize(String key, FileContents contents) {
        long stored = store.head(key).sizeBytes();
        if (stored != contents.sizeBytes()) {
            throw new CdcException("the store holds " + stored + " bytes of " + contents.sizeBytes() + " at " + key);
        }
    }

    /** Deletes what is at final keys and known not to be listed. */
    void deletePlaced(RuntimeException reason) {
        List.copyOf(placed).forEach(key -> deleteAfter(reason, key));
    }

    private void deleteAfter(RuntimeException reason, String key) {
        try {
            store.delete(key);
        } catch (RuntimeException e) {
            reason.addSuppressed(e);
        }
    }

    /** Deletes staged files that are listed elsewhere now, and the journal of them. What fails is left to a sweep. */
    void deleteStaged(List<ExportedRange> ranges) {
        List<String> keys =
                new ArrayList<>(ranges.stream().map(ExportedRange::stagedKey).toList());
        keys.add(ExportJournal.keyOf(prefix, schemaId));
        try {
            ParallelWork.map(keys, REQUESTS_AT_ONCE, key -> {
                store.delete(key);
                return key;
            });
        } catch (ObjectStoreException | CdcInterruptedException e) {
            LOG.warn("schema {}: staged files of an export are left to a sweep: {}", schemaId, e.getMessage());
        }
    }
}
