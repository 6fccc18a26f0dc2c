package io.formacdc.examples.byhand;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.ChangeLog;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaLock;
import io.formacdc.core.UuidV7;
import io.formacdc.duckdb.DuckExporter;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3Objects;
import java.sql.Connection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * One schema's flush, step by step: lock, statistics, selection, export to a staged object, promotion, append to the
 * manifest, mark, release. What {@code Cdc.runOnce} does more: it marks by the version <em>and</em> the {@code xmin} of
 * what it exported, and cleans up behind a step that fails.
 *
 * @param pgConnStr where the exporter reads, as libpq or JDBC write it
 * @param fileLog the manifests
 */
record HandMadeFlush(
        CdcConfig config,
        int schemaId,
        SchemaAttributes attributes,
        DataSource dataSource,
        String pgConnStr,
        DuckExporter exporter,
        S3ObjectClient client,
        FileLog fileLog) {

    /** Flushes up to {@code batchSize} rows, if enough are dirty, and returns how many were marked. */
    int flushBatch() {
        Optional<SchemaLock> lock = SchemaLock.tryAcquire(dataSource, schemaId);
        if (lock.isEmpty()) {
            return 0; // another flush is at it
        }
        try (SchemaLock held = lock.get()) {
            Connection connection = held.connection();
            String table = config.changeLogTable();
            // Before anything is selected: an append fails if another flush has appended since.
            FileLog.Appender manifest = fileLog.open(schemaId);
            if (ChangeLog.getChangeLogStats(connection, table, schemaId).count() < config.minRecords()) {
                return 0;
            }
            ChangeLog.Batch batch = ChangeLog.selectBatchRowIds(connection, table, schemaId, config.batchSize());
            UUID file = UuidV7.next();
            String stagedKey = CdcPaths.buildTempPath(config.s3Prefix(), schemaId, file);
            String key = CdcPaths.buildDeltaPath(config.s3Prefix(), schemaId, file);
            FileContents contents = exporter.exportSnapshotToTmp(
                    pgConnStr,
                    "s3://" + config.s3Bucket() + "/" + stagedKey,
                    schemaId,
                    batch.snapshotMillis(),
                    batch.rowIds(),
                    attributes);
            S3Objects.copyTmpToFinal(client, config.s3Bucket(), stagedKey, key);
            manifest.append(new FlushedFile(key, contents)); // the commit
            List<UUID> marked = ChangeLog.markFlushedIdsAtSnapshot(
                    connection, table, schemaId, batch.rowIds(), batch.snapshotMillis(), System.currentTimeMillis());
            return marked.size();
        }
    }
}
