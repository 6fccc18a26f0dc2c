package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaIds;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.StoredManifest;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes history of the change log that a verified manifest covers; see {@link Cdc#purgeFlushed}. Immutable. */
final class FlushedPurge {
    /** A transaction of some milliseconds. */
    static final int BATCH_ROWS = 5_000;

    private static final Logger LOG = LoggerFactory.getLogger(FlushedPurge.class);

    private final JdbcChangeLogStore changeLog;
    private final ManifestStore manifests;
    private final ListedObjects listedObjects;
    private final Clock clock;
    private final int batchRows;

    FlushedPurge(
            JdbcChangeLogStore changeLog,
            ManifestStore manifests,
            ListedObjects listedObjects,
            Clock clock,
            int batchRows) {
        this.changeLog = changeLog;
        this.manifests = manifests;
        this.listedObjects = listedObjects;
        this.clock = clock;
        this.batchRows = batchRows;
    }

    long purge(int schemaId, Duration olderThan) {
        SchemaIds.check(schemaId);
        if (olderThan.isNegative() || olderThan.isZero()) {
            throw new IllegalArgumentException("olderThan must be positive, not " + olderThan);
        }
        CdcInterruptedException.requireNotInterrupted("the purge of schema " + schemaId);
        Manifest manifest = verifiedManifest(schemaId);
        // The last flush listed its file before it sampled flushed_at, so its rows wait for the next save.
        long flushedBeforeMillis = Math.min(beforeMillis(olderThan), manifest.updatedAtMillis());
        long rows = changeLog.purgeFlushed(schemaId, flushedBeforeMillis, batchRows);
        LOG.info("schema {}: purged {} flushed rows of the change log", schemaId, rows);
        return rows;
    }

    private long beforeMillis(Duration olderThan) {
        long nowMillis = clock.millis();
        return olderThan.compareTo(Duration.ofMillis(nowMillis)) >= 0 ? 0 : nowMillis - olderThan.toMillis();
    }

    private Manifest verifiedManifest(int schemaId) {
        StoredManifest loaded = manifests.load(schemaId);
        if (!loaded.exists()) {
            throw refusal(schemaId, "there is no manifest; check manifestPrefix and manifestTemplate");
        }
        Manifest manifest = loaded.manifest();
        if (manifest.entries().isEmpty()) {
            throw refusal(schemaId, "the manifest lists nothing, so it covers nothing");
        }
        Map<String, ObjectInfo> objects = listedObjects.find(manifest);
        for (ManifestEntry entry : manifest.entries()) {
            ObjectInfo object = objects.get(entry.key());
            if (object == null) {
                throw refusal(schemaId, "the listed object \"" + entry.key() + "\" is missing; restore it first");
            }
            if (ListedObjects.hasOtherSize(entry, object)) {
                throw refusal(
                        schemaId,
                        "the object \"" + entry.key() + "\" has " + object.sizeBytes() + " bytes, and is listed with "
                                + entry.sizeBytes() + "; restore it first");
            }
        }
        return manifest;
    }

    private static CdcException refusal(int schemaId, String reason) {
        return new CdcException("schema " + schemaId + ": nothing was purged from the change log, " + reason);
    }
}
