package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The objects that a compaction of a schema has put, and not yet listed. Thread-safe. */
final class MergedFiles {
    private static final Logger LOG = LoggerFactory.getLogger(MergedFiles.class);

    private final int schemaId;
    private final ObjectStore store;
    private final String schemaPrefix;
    private final String tempPrefix;
    private final List<String> keys = Collections.synchronizedList(new ArrayList<>());

    /**
     * @param prefix of data inside the bucket; may be empty
     * @param tempPrefix under which files are staged; empty to put them to their keys at once
     */
    MergedFiles(int schemaId, ObjectStore store, String prefix, String tempPrefix) {
        this.schemaId = schemaId;
        this.store = store;
        this.schemaPrefix = CdcPaths.schemaPrefix(prefix, schemaId);
        this.tempPrefix = tempPrefix.isEmpty() || tempPrefix.endsWith("/") ? tempPrefix : tempPrefix + "/";
    }

    /** Puts a file under a key never used before, which it returns. */
    String upload(LocalFile file, String namePrefix) {
        String name = UuidV7.next() + ".parquet";
        String key = schemaPrefix + namePrefix + name;
        keys.add(key);
        if (tempPrefix.isEmpty()) {
            store.put(key, file.path());
        } else {
            putByWayOf(tempPrefix + name, key, file);
        }
        long stored = store.head(key).sizeBytes();
        if (stored != file.contents().sizeBytes()) {
            throw new CdcException(
                    "the store holds " + stored + " bytes of " + file.contents().sizeBytes() + " at " + key);
        }
        return key;
    }

    private void putByWayOf(String stagedKey, String key, LocalFile file) {
        try {
            store.put(stagedKey, file.path());
            store.copy(stagedKey, key);
        } finally {
            deleteQuietly(stagedKey);
        }
    }

    private void deleteQuietly(String key) {
        try {
            store.delete(key);
        } catch (RuntimeException e) {
            LOG.warn("schema {}: could not delete {}: {}", schemaId, key, e.getMessage());
        }
    }

    /** They are listed now. */
    void listed() {
        keys.clear();
    }

    /** Deletes what is known not to be listed. */
    void deleteAll(RuntimeException failure) {
        for (String key : keys) {
            try {
                store.delete(key);
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
