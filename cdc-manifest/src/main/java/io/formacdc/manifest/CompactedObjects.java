package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The objects that a compaction has put, and must delete where it is known that nothing lists them. Thread-safe. */
final class CompactedObjects {
    private static final Logger LOG = LoggerFactory.getLogger(CompactedObjects.class);

    private final ObjectStore store;
    private final int schemaId;
    private final String folder;
    private final String tempPrefix;
    private final List<String> written = Collections.synchronizedList(new ArrayList<>());

    /**
     * @param folder of the schema's data, with a slash at its end
     * @param tempPrefix under which objects are staged; empty to put them to their keys at once
     */
    CompactedObjects(ObjectStore store, int schemaId, String folder, String tempPrefix) {
        this.store = store;
        this.schemaId = schemaId;
        this.folder = folder;
        this.tempPrefix = tempPrefix;
    }

    /** Puts a file under a key never used before, and looks at what arrived. */
    String put(LocalFile file, String namePrefix) {
        String name = UuidV7.next() + ".parquet";
        String key = folder + namePrefix + name;
        written.add(key);
        if (tempPrefix.isEmpty()) {
            store.put(key, file.path());
        } else {
            putByWayOf(tempPrefix + (tempPrefix.endsWith("/") ? "" : "/") + name, key, file);
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
            try {
                store.delete(stagedKey);
            } catch (RuntimeException e) {
                LOG.warn("schema {}: could not delete {}: {}", schemaId, stagedKey, e.getMessage());
            }
        }
    }

    /** They are listed now. */
    void keep() {
        written.clear();
    }

    /** Nothing lists them, because of a failure. */
    void delete(RuntimeException failure) {
        for (String key : written) {
            try {
                store.delete(key);
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
