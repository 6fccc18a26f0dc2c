package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.UuidV7;
import io.formacdc.s3.S3Access;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3Objects;
import java.sql.Connection;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;

/**
 * Exports dirty rows by DuckDB's extensions. Chunks are selected by JDBC; their rows are of a later instant, that of the
 * one statement that DuckDB sends, with the versions that were exported in its own result. So a file is whole and its
 * mark exact, although the two do not share a snapshot: a row that was written in between is in the file as it is then,
 * or, if another flush has marked it, not at all.
 *
 * <p>For the time of one pass, on one thread. DuckDB starts, and the extensions are loaded, at the first export, or when a
 * dry run asks.
 */
final class ExtensionExporter implements SnapshotExporter, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExtensionExporter.class);

    private final CdcConfig config;
    private final PgExporter selection;
    private final S3ObjectClient client;
    private final Supplier<S3Access> access;
    private final UnaryOperator<Connection> aroundDuckDb;
    private @Nullable ExtensionWriter writer;

    /**
     * @param selection selects chunks; not closed with this
     * @param access asked for each file anew, because keys are rotated
     * @param aroundDuckDb what stands between this and DuckDB's connection
     */
    ExtensionExporter(
            CdcConfig config,
            PgExporter selection,
            S3ObjectClient client,
            Supplier<S3Access> access,
            UnaryOperator<Connection> aroundDuckDb) {
        this.config = config;
        this.selection = selection;
        this.client = client;
        this.access = access;
        this.aroundDuckDb = aroundDuckDb;
    }

    @Override
    public Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
        PgExporter.DirtyRows rows = selection.openSnapshot(schemaId, attributes);
        return new Snapshot() {
            @Override
            public @Nullable UUID lastRowId() {
                return rows.lastRowId();
            }

            @Override
            public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
                return rows.selectChunk(afterRowId, upToRowId, maxRows);
            }

            @Override
            public Exported export(Chunk chunk, LongConsumer progress) {
                StagedObject staged = stage(rows, chunk);
                progress.accept(staged.contents().rowCount());
                return staged;
            }

            @Override
            public void close() {
                rows.close();
            }
        };
    }

    /** Loads the extensions. */
    @Override
    public void requireReady() {
        writer();
    }

    private ExtensionWriter writer() {
        if (writer == null) {
            writer = ExtensionWriter.open(config, aroundDuckDb);
        }
        return writer;
    }

    private StagedObject stage(PgExporter.DirtyRows rows, SnapshotExporter.Chunk chunk) {
        ExtensionWriter ready = writer();
        String key = CdcPaths.buildTempPath(config.s3Prefix(), rows.schemaId, UuidV7.next());
        ExtensionWriter.Export export = new ExtensionWriter.Export(
                rows.schemaId,
                rows.watch(),
                PgDsn.of(config),
                access.get(),
                rows.projection,
                rows.queries,
                new RowIdInterval(chunk.afterRowId(), chunk.lastRowId()),
                null,
                "s3://" + config.s3Bucket() + "/" + key);
        try {
            return new StagedObject(key, ready.write(export));
        } catch (RuntimeException e) {
            deleteStaged(key, e);
            throw e;
        }
    }

    private void deleteStaged(String key, RuntimeException reason) {
        try {
            delete(key);
        } catch (RuntimeException cleanup) {
            reason.addSuppressed(cleanup);
        }
    }

    private void delete(String key) {
        client.deleteObject(
                DeleteObjectRequest.builder().bucket(config.s3Bucket()).key(key).build());
    }

    @Override
    public void close() {
        if (writer != null) {
            writer.close();
        }
    }

    /** A file that DuckDB put to its staged key. */
    private final class StagedObject implements Exported {
        private final String stagedKey;
        private final ExtensionWriter.Written written;
        private boolean isStaged = true;

        private StagedObject(String stagedKey, ExtensionWriter.Written written) {
            this.stagedKey = stagedKey;
            this.written = written;
        }

        @Override
        public FileContents contents() {
            return written.contents();
        }

        @Override
        public RowVersions versions() {
            return written.versions();
        }

        @Override
        public Map<String, Long> lossyCasts() {
            return written.lossyCasts();
        }

        /** A client that only copies and deletes cannot tell the size of what is there. */
        @Override
        public void deliver(ObjectStore store, String key) {
            isStaged = false;
            S3Objects.copyTmpToFinal(client, config.s3Bucket(), stagedKey, key);
            if (client instanceof S3FullClient) {
                long stored = store.head(key).sizeBytes();
                if (stored != contents().sizeBytes()) {
                    throw new CdcException("the store holds " + stored + " bytes of "
                            + contents().sizeBytes());
                }
            }
        }

        @Override
        public void close() {
            if (isStaged) {
                isStaged = false;
                try {
                    delete(stagedKey);
                } catch (RuntimeException e) {
                    LOG.warn("could not delete the staged object {}: {}", stagedKey, e.getMessage());
                }
            }
        }
    }
}
