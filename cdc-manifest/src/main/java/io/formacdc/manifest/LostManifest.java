package io.formacdc.manifest;

import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a manifest that was just begun stands in the place of one that was lost. It is not refused: no file says for
 * certain that it was listed, a host that deletes manifests on purpose must be able to go on, and a flush that stops for
 * good loses more than one that lists what it has. Nothing is lost by going on either: a sweep deletes no base file where
 * the manifest lists none, and a reconciliation names what is left of the old list.
 */
final class LostManifest {
    private static final Logger LOG = LoggerFactory.getLogger(LostManifest.class);

    /** Written only by what puts its files in the place of listed ones, or at least lists them. */
    private static final Set<KeyShape> OF_A_LIST =
            Set.of(KeyShape.EXPORTED_BASE, KeyShape.COMPACTED_BASE, KeyShape.CONSOLIDATED_DELTA);

    /** What one request lists. */
    private static final int PAGE = 1000;

    private LostManifest() {}

    /**
     * A file that only an older manifest can have listed, or else one that a flush wrote before. At most one request; what
     * is beyond it is not looked at.
     *
     * @param newKey of the file that the new manifest lists, whose folder is looked at
     */
    static Optional<String> trace(ObjectStore objects, int schemaId, String newKey) {
        String folder = newKey.substring(0, newKey.lastIndexOf('/') + 1);
        try (Stream<ObjectInfo> page = objects.list(folder)) {
            return page.limit(PAGE)
                    .map(ObjectInfo::key)
                    .filter(key -> !key.equals(newKey) && shapeOf(schemaId, key) != KeyShape.STAGED)
                    .filter(key -> shapeOf(schemaId, key) != KeyShape.UNKNOWN)
                    .max(Comparator.comparing(key -> OF_A_LIST.contains(shapeOf(schemaId, key))));
        }
    }

    private static KeyShape shapeOf(int schemaId, String key) {
        return KeyShape.ofListed(schemaId, key);
    }

    /** Warns, if so. Throws nothing: the file is listed, and what comes after must not make that look undone. */
    static void warnIfTraced(ObjectStore objects, int schemaId, String newKey) {
        try {
            trace(objects, schemaId, newKey).ifPresent(key -> {
                if (OF_A_LIST.contains(shapeOf(schemaId, key))) {
                    LOG.warn(
                            "schema {}: a new manifest was begun, but {} must have been listed in an older one, which is"
                                    + " gone; put it back, or export the base anew, replacing deltas",
                            schemaId,
                            key);
                } else {
                    LOG.warn(
                            "schema {}: a new manifest was begun, but {} was written before; either its flush died before"
                                    + " it was listed, or the manifest that listed it is gone: a reconciliation tells",
                            schemaId,
                            key);
                }
            });
        } catch (RuntimeException e) {
            LOG.debug("schema {}: it could not be seen whether an older manifest was lost", schemaId, e);
        }
    }
}
