package io.formacdc.duckdb;

import io.formacdc.core.CdcPaths;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a bucket holds of a schema, compared with what the manifest lists. Immutable. */
final class ListedObjects {
    private final ObjectStore store;
    private final String prefix;

    /** @param prefix of data inside the bucket, as flushes use it; may be empty */
    ListedObjects(ObjectStore store, String prefix) {
        this.store = store;
        this.prefix = prefix;
    }

    /**
     * All objects under the schema's prefix, and those that are listed from elsewhere, by key. One listing, and a question
     * for each listed object that is not in it.
     *
     * @param manifest loaded before this: a listed object is in its place before it is listed, so none can look missing
     */
    Map<String, ObjectInfo> find(Manifest manifest) {
        Map<String, ObjectInfo> found = new TreeMap<>();
        try (Stream<ObjectInfo> objects = store.list(CdcPaths.schemaPrefix(prefix, manifest.schemaId()))) {
            objects.forEach(object -> found.put(object.key(), object));
        }
        for (ManifestEntry entry : manifest.entries()) {
            if (!found.containsKey(entry.key())) {
                ObjectInfo object = head(entry.key());
                if (object != null) {
                    found.put(entry.key(), object);
                }
            }
        }
        return found;
    }

    /** Null if the bucket answers that it is not there. */
    private @Nullable ObjectInfo head(String key) {
        try {
            return store.head(key);
        } catch (ObjectNotFoundException e) {
            return null;
        }
    }

    /** Whether an object has another size than it is listed with. An older writer may have left the size out. */
    static boolean hasOtherSize(ManifestEntry entry, ObjectInfo object) {
        Long listed = entry.sizeBytes();
        return listed != null && listed > 0 && listed != object.sizeBytes();
    }
}
