package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.PreconditionFailedException;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SchemaLock;
import io.formacdc.core.TableName;
import io.formacdc.duckdb.FileScan.EntityState;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.RepairReport.Outcome;
import io.formacdc.duckdb.RepairReport.UnlistedFile;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.StoredManifest;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectClient;
import io.formacdc.s3.S3ObjectStore;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Compares the manifest of a schema with the bucket and with PostgreSQL, and repairs what is safe: rows that were flushed
 * to an object which is not listed, and that are nowhere else. Thread-safe. Between two calls it holds no connection, no
 * thread and no file; it owns the S3 client only if it was given none.
 */
public final class Reconciler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

    private static final int MAX_TRIES = 5;

    private final CdcConfig config;
    private final DataSource dataSource;
    private final ObjectStore store;
    private final ManifestConfig manifestConfig;
    private final ManifestStore manifests;
    private final @Nullable S3Client ownClient;

    /** @param config with defaults filled in, validated */
    Reconciler(CdcConfig config, DataSource dataSource, ObjectStore store, @Nullable S3Client ownClient) {
        this.config = config;
        this.dataSource = dataSource;
        this.store = store;
        this.manifestConfig = manifestConfig(config);
        this.manifests = new ManifestStore(store, manifestConfig, ManifestStoreOptions.of(config));
        this.ownClient = ownClient;
    }

    /**
     * A reconciler. Opens no connection.
     *
     * @param config unset fields take their defaults; must name the manifests of the flushes
     * @param s3Client the host's client, an {@link S3FullClient} that can list, as {@link S3FullClient#of} gives it, which
     *     stays the host's to close; null for one from the AWS default chain and the configuration
     * @throws InvalidConfigException if the configuration cannot work, or names no manifests
     */
    public static Reconciler create(CdcConfig config, @Nullable S3ObjectClient s3Client) {
        CdcConfig complete = requireNonNull(config, "config").withDefaults().validate();
        manifestConfig(complete);
        DataSource dataSource = PgDataSources.of(complete);
        if (s3Client instanceof S3FullClient full) {
            return new Reconciler(complete, dataSource, new S3ObjectStore(full, complete.s3Bucket()), null);
        }
        if (s3Client != null) {
            throw new InvalidConfigException(List.of("the S3 client can copy and delete, but a check also gets and"
                    + " lists; implement S3ListingClient, or use S3FullClient.of(S3Client)"));
        }
        S3Client own = S3Clients.create(complete);
        return new Reconciler(complete, dataSource, new S3ObjectStore(S3FullClient.of(own), complete.s3Bucket()), own);
    }

    private static ManifestConfig manifestConfig(CdcConfig config) {
        return ManifestConfig.of(config)
                .orElseThrow(() -> new InvalidConfigException(List.of("without manifests there is nothing to reconcile;"
                        + " set manifestPrefix or manifestTemplate to those of the flushes")));
    }

    /**
     * Looks for disagreements. Writes nothing anywhere but to a private folder, takes no lock, and may run beside anything:
     * if the manifest changes meanwhile, it looks again before it calls something wrong.
     *
     * @throws io.formacdc.core.InvalidManifestException if the manifest cannot be used
     * @throws io.formacdc.core.ObjectStoreException if the bucket cannot be read or listed
     * @throws DatabaseException if PostgreSQL cannot be asked for uncovered rows
     * @throws CdcInterruptedException if the calling thread was interrupted
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public ReconcileReport check(int schemaId, Depth depth) {
        SchemaIds.check(schemaId);
        requireNonNull(depth, "depth");
        CdcInterruptedException.requireNotInterrupted("the check of schema " + schemaId);
        try (Session session = new Session()) {
            for (int tries = 1; ; tries++) {
                StoredManifest loaded = manifests.load(schemaId);
                try (FileScan scan = FileScan.open(config, schemaId, session.watch)) {
                    SchemaAnalysis analysis = analyse(session, loaded, scan, depth);
                    ReconcileReport report = new ReconcileReport(schemaId, depth, analysis.findings());
                    if (report.isClean()) {
                        return report;
                    }
                    StoredManifest reloaded = manifests.load(schemaId);
                    if (Objects.equals(reloaded.etag(), loaded.etag())) {
                        return report;
                    }
                    if (tries == MAX_TRIES) {
                        return confirmed(report, loaded.manifest(), reloaded.manifest());
                    }
                }
            }
        }
    }

    /** Where others never let the manifest rest: what is said of files that have the same place in it still. */
    private static ReconcileReport confirmed(ReconcileReport report, Manifest before, Manifest now) {
        List<Finding> same = report.findings().stream()
                .filter(finding -> before.lists(finding.key()) == now.lists(finding.key())
                        && before.retires(finding.key()) == now.retires(finding.key()))
                .toList();
        return new ReconcileReport(report.schemaId(), report.depth(), same);
    }

    /**
     * Lists the rows of unlisted deltas that no listed file covers, where each of them is safe: it agrees with what
     * PostgreSQL says of its entity. They are written to a new object, and a file with a single row that is not safe is
     * refused as a whole. Holds the schema's lock. What is listed but missing or broken is never taken off the list, and
     * as long as there is such a file nothing is repaired; the report names it. May be called again: what was repaired is
     * covered then.
     *
     * <p>A delta that a sweep has sighted counts too, although it cannot be listed itself: its rows are listed in a new
     * object. If the sweep deletes it after its rows were read, they are listed all the same; if before, the report names
     * it as {@link ReconcileReport.Kind#SWEPT}.
     *
     * <p>The save asks for the manifest that was analysed; if a flush, an export or a compaction came first, all is analysed anew. After a
     * failure nothing is listed, and at most an unlisted object is left.
     *
     * @throws io.formacdc.core.CommitStateUnknownException if the save may or may not have taken effect; the object is kept
     * @throws io.formacdc.core.InvalidManifestException if the manifest cannot be used; nothing was written
     * @throws CdcException if the manifest was changed by others time and again, or the lock was lost; nothing is listed
     * @throws DatabaseException if PostgreSQL fails; nothing is listed
     * @throws CdcInterruptedException if the calling thread was interrupted
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public RepairReport repair(int schemaId) {
        SchemaIds.check(schemaId);
        CdcInterruptedException.requireNotInterrupted("the repair of schema " + schemaId);
        try (Session session = new Session()) {
            Optional<SchemaLock> taken = tryLock(session, schemaId);
            if (taken.isEmpty()) {
                LOG.info("schema {}: not repaired, another session holds its lock", schemaId);
                return new RepairReport(schemaId, Outcome.LOCKED_ELSEWHERE, List.of(), List.of(), null);
            }
            try (SchemaLock lock = taken.get()) {
                for (int tries = 1; tries <= MAX_TRIES; tries++) {
                    try {
                        return repair(session, lock, manifests.load(schemaId));
                    } catch (LostRows.ManifestChangedException | PreconditionFailedException e) {
                        LOG.debug("schema {}: the manifest has changed, analysing anew", schemaId);
                    }
                }
            }
        }
        throw new CdcException(
                "schema " + schemaId + ": nothing was repaired, the manifest was changed by others during" + " each of "
                        + MAX_TRIES + " tries; try again when less is written");
    }

    private static Optional<SchemaLock> tryLock(Session session, int schemaId) {
        try {
            return SchemaLock.tryAcquire(session.connections, schemaId);
        } catch (DatabaseException e) {
            throw interruptedOr(e);
        }
    }

    /** An interrupt reaches a call as the statement that it cancelled. */
    static CdcException interruptedOr(CdcException e) {
        return Thread.currentThread().isInterrupted()
                ? new CdcInterruptedException("interrupted: " + e.getMessage(), e)
                : e;
    }

    private RepairReport repair(Session session, SchemaLock lock, StoredManifest loaded) {
        int schemaId = loaded.manifest().schemaId();
        if (loaded.manifest().entries().isEmpty()) {
            return refusal(
                    schemaId,
                    List.of(),
                    List.of(),
                    "the manifest \"" + manifestConfig.keyFor(schemaId)
                            + "\" is missing or lists nothing, so that it cannot be told what is unlisted");
        }
        try (FileScan scan = FileScan.open(config, schemaId, session.watch)) {
            SchemaAnalysis analysis = analyse(session, loaded, scan, Depth.CONTENTS);
            List<UnlistedFile> files = analysis.uncovered();
            List<Finding> beyondRepair = analysis.beyondRepair();
            if (analysis.gap() != null) {
                return refusal(schemaId, files, beyondRepair, analysis.gap());
            }
            if (files.isEmpty()) {
                return beyondRepair.isEmpty()
                        ? new RepairReport(schemaId, Outcome.NOTHING_TO_REPAIR, files, beyondRepair, null)
                        : refusal(schemaId, files, beyondRepair, "what is wrong cannot be repaired");
            }
            if (files.stream().noneMatch(UnlistedFile::isSafe)) {
                return refusal(schemaId, files, beyondRepair, "no unlisted delta is safe as a whole");
            }
            List<UnlistedFile> repaired = new LostRows(store, manifests, analysis, scan).list(lock);
            return new RepairReport(schemaId, Outcome.REPAIRED, repaired, beyondRepair, null);
        }
    }

    private static RepairReport refusal(
            int schemaId, List<UnlistedFile> files, List<Finding> beyondRepair, @Nullable String reason) {
        LOG.info("schema {}: not repaired, {}", schemaId, reason);
        return new RepairReport(schemaId, Outcome.REFUSED, files, beyondRepair, reason);
    }

    private SchemaAnalysis analyse(Session session, StoredManifest loaded, FileScan scan, Depth depth) {
        int schemaId = loaded.manifest().schemaId();
        SchemaAnalysis analysis =
                new SchemaAnalysis(store, config.s3Prefix(), manifestConfig.keyFor(schemaId), loaded, scan);
        analysis.run(depth, ids -> entityStates(session, schemaId, ids));
        return analysis;
    }

    /** One statement, and so one instant. */
    private List<EntityState> entityStates(Session session, int schemaId, List<UUID> rowIds) {
        String sql = "SELECT i.id, EXISTS (SELECT FROM " + TableName.parse(config.changeLogTable())
                + " c WHERE c.schema_id = ? AND c.row_id = i.id AND c.flushed_at = 0), EXISTS (SELECT FROM "
                + TableName.parse(config.entityMainTable())
                + " m WHERE m.ltbase_schema_id = ? AND m.ltbase_row_id = i.id AND "
                + PgQueries.isAlive("m.ltbase_deleted_at") + ")"
                + " FROM unnest(?) AS i(id)";
        try (Connection connection = session.connections.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            Array ids = connection.createArrayOf("uuid", rowIds.toArray());
            statement.setInt(1, schemaId);
            statement.setInt(2, schemaId);
            statement.setArray(3, ids);
            List<EntityState> states = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    states.add(new EntityState(rows.getObject(1, UUID.class), rows.getBoolean(2), rows.getBoolean(3)));
                }
            }
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            return states;
        } catch (SQLException e) {
            throw interruptedOr(new DatabaseException("look-up of uncovered rows of schema " + schemaId, e));
        }
    }

    /** What lives as long as one call. */
    private final class Session implements AutoCloseable {
        private final TrackedConnections connections = new TrackedConnections(dataSource);
        private final InterruptWatch watch = InterruptWatch.open();
        private final InterruptWatch.Guard guard = watch.guard(null, connections::cancel);

        @Override
        public void close() {
            guard.close();
            watch.close();
        }
    }

    /** Closes the S3 client, if it is this reconciler's own. */
    @Override
    public void close() {
        if (ownClient != null) {
            ownClient.close();
        }
    }
}
