package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.FileContents;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.TableName;
import io.formacdc.core.Transport;
import io.formacdc.s3.S3Access;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Exports rows to a staged Parquet file, for hosts that compose a flush by hand from the parts that {@link Cdc#runOnce}
 * uses. Keeps a DuckDB until it is closed. Thread-safe: exports run one after another.
 */
public final class DuckExporter implements AutoCloseable {
    private final CdcConfig config;
    private final S3FullClient client;
    private final @Nullable S3Client ownClient;
    private final @Nullable ParquetWriter builtIn;
    private final @Nullable ExtensionWriter extensions;
    private final @Nullable S3Access access;

    private DuckExporter(CdcConfig config, S3FullClient client) {
        this.config = config;
        this.client = client;
        this.ownClient = null;
        this.builtIn = ParquetWriter.open(config);
        this.extensions = null;
        this.access = null;
    }

    private DuckExporter(
            CdcConfig config, S3Client ownClient, S3Access access, UnaryOperator<Connection> aroundDuckDb) {
        this.config = config;
        this.client = S3FullClient.of(ownClient);
        this.ownClient = ownClient;
        this.access = access;
        boolean byExtensions = config.transport() == Transport.EXTENSIONS;
        this.builtIn = byExtensions ? null : ParquetWriter.open(config);
        this.extensions = byExtensions ? ExtensionWriter.open(config, aroundDuckDb) : null;
    }

    /**
     * An exporter that writes with one fixed access key to the store that the configuration names.
     *
     * @throws CdcException if DuckDB does not start, or lacks an extension that the configured transport needs
     */
    public static DuckExporter open(CdcConfig config, String s3AccessKey, String s3Secret) {
        return open(config, s3AccessKey, s3Secret, UnaryOperator.identity());
    }

    static DuckExporter open(
            CdcConfig config, String s3AccessKey, String s3Secret, UnaryOperator<Connection> aroundDuckDb) {
        CdcConfig complete = config.withDefaults();
        S3Client client = S3Clients.create(complete, s3AccessKey, s3Secret);
        try {
            return new DuckExporter(complete, client, S3Access.of(complete, s3AccessKey, s3Secret), aroundDuckDb);
        } catch (RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /**
     * An exporter that uploads with the host's client, which stays the host's to close.
     *
     * @throws InvalidConfigException if the transport is {@link Transport#EXTENSIONS}, which needs a key
     */
    public static DuckExporter open(CdcConfig config, S3FullClient client) {
        if (config.transport() == Transport.EXTENSIONS) {
            throw new InvalidConfigException(List.of("transport EXTENSIONS has DuckDB write by itself, and a client has"
                    + " no key to give it; open the exporter with an access key and a secret"));
        }
        return new DuckExporter(config.withDefaults(), client);
    }

    /**
     * Exports those of the given rows that are dirty and not newer than the snapshot, as a delta. All tables are read at
     * one instant.
     *
     * @param pgConnStr libpq's {@code host=... user=...} or {@code postgresql://...}, or a JDBC URL
     * @param s3TmpPath {@code s3://bucket/key} to upload to, or a local path; nothing is there after a failure
     * @param snapshotTs greatest version to export, epoch milliseconds
     * @param rowIds at least one
     * @param attributes null for every hot column under its own name
     * @return what is in the file; fewer rows than were given if some are no longer dirty or are newer
     */
    public FileContents exportSnapshotToTmp(
            String pgConnStr,
            String s3TmpPath,
            int schemaId,
            long snapshotTs,
            List<UUID> rowIds,
            @Nullable SchemaAttributes attributes) {
        SchemaIds.check(schemaId);
        PgQueries queries = PgQueries.ofDirtyRows(config, schemaId).notNewerThan(snapshotTs);
        return export(pgConnStr, s3TmpPath, schemaId, queries, rowIds, attributes);
    }

    /**
     * Exports those of the given entities that are live, as a base file: the change log is not read, and an entity's
     * version is that of its last update. Otherwise as {@link #exportSnapshotToTmp}.
     */
    public FileContents exportBaseFileToTmp(
            String pgConnStr,
            String s3TmpPath,
            int schemaId,
            List<UUID> rowIds,
            @Nullable SchemaAttributes attributes) {
        SchemaIds.check(schemaId);
        PgQueries queries = PgQueries.ofLiveEntities(config, schemaId);
        return export(pgConnStr, s3TmpPath, schemaId, queries, rowIds, attributes);
    }

    /** What it was opened with, defaults filled in. */
    public CdcConfig config() {
        return config;
    }

    private synchronized FileContents export(
            String pgConnStr,
            String target,
            int schemaId,
            PgQueries queries,
            List<UUID> rowIds,
            @Nullable SchemaAttributes attributes) {
        if (rowIds.isEmpty()) {
            throw new IllegalArgumentException("rowIds is empty; an export needs at least one row");
        }
        Target place = Target.parse(target);
        GivenIds given = GivenIds.of(rowIds);
        DataSource dataSource = PgDataSources.of(pgConnStr);
        TrackedConnections connections = new TrackedConnections(dataSource);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgSessions sessions = new PgSessions(connections);
                PgSnapshot snapshot = PgSnapshot.open(sessions)) {
            Projection projection = Projection.of(catalog(snapshot), attributes);
            if (extensions != null) {
                return writeByExtensions(new ExtensionWriter.Export(
                        schemaId,
                        watch,
                        PgDsn.of(pgConnStr),
                        place.bucket() == null ? null : Objects.requireNonNull(access),
                        projection,
                        queries.among(ExtensionSql.GIVEN_IDS),
                        new RowIdInterval(null, null),
                        given.arrayText(),
                        place.bucket() == null ? place.path() : target));
            }
            ParquetWriter.Export export = new ParquetWriter.Export(
                    schemaId,
                    watch,
                    connections,
                    snapshot,
                    new ExportedRows(
                            queries, given, given.pieces(), given.sorted().size()),
                    projection,
                    ParquetWriter.Versions.NOT_KEPT,
                    connections.readersOfATable(1),
                    config.duckThreads(),
                    rows -> {});
            try (ExportedFile file = Objects.requireNonNull(builtIn).write(export)) {
                deliver(file, place);
                return file.contents();
            }
        } catch (SQLException e) {
            throw new DatabaseException("export of schema " + schemaId, e);
        }
    }

    private FileContents writeByExtensions(ExtensionWriter.Export export) {
        Target place = Target.parse(export.target());
        try {
            place.createFolder();
            return Objects.requireNonNull(extensions).write(export).contents();
        } catch (RuntimeException e) {
            try {
                place.delete(client);
            } catch (RuntimeException cleanup) {
                e.addSuppressed(cleanup);
            }
            throw e;
        }
    }

    private TableCatalog catalog(PgSnapshot snapshot) throws SQLException {
        Connection connection = snapshot.borrow();
        TableCatalog catalog = TableCatalog.read(
                connection,
                TableName.parse(config.changeLogTable()),
                TableName.parse(config.entityMainTable()),
                TableName.parse(config.eavDataTable()));
        snapshot.giveBack(connection);
        return catalog;
    }

    private void deliver(ExportedFile file, Target target) {
        if (target.bucket() != null) {
            new S3ObjectStore(client, target.bucket()).put(target.path(), file.path());
            return;
        }
        target.createFolder();
        try {
            Files.move(file.path(), Path.of(target.path()), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CdcException(
                    "the exported file could not be moved to " + target.path() + ": " + e.getMessage(), e);
        }
    }

    /** Where a file goes: a key of a bucket, or a local path if the bucket is null. */
    private record Target(@Nullable String bucket, String path) {
        /** @throws IllegalArgumentException if the text is neither, or the path that of a folder */
        static Target parse(String text) {
            String[] parts = text.split("/", 4);
            if (text.startsWith("s3://")) {
                if (parts.length == 4 && !parts[2].isEmpty() && !parts[3].isEmpty()) {
                    return new Target(parts[2], parts[3]);
                }
            } else if (!text.isEmpty()) {
                Path path = text.startsWith("file:///") ? Path.of(URI.create(text)) : Path.of(text);
                if (path.getFileName() != null && !Files.isDirectory(path)) {
                    return new Target(null, path.toAbsolutePath().toString());
                }
            }
            throw new IllegalArgumentException(
                    "\"" + text + "\" is neither s3://bucket/key nor the path that a file can have");
        }

        void createFolder() {
            if (bucket == null) {
                try {
                    Files.createDirectories(Objects.requireNonNull(Path.of(path).getParent()));
                } catch (IOException e) {
                    throw new CdcException("no folder could be made for " + path + ": " + e.getMessage(), e);
                }
            }
        }

        void delete(S3FullClient client) {
            try {
                if (bucket == null) {
                    Files.deleteIfExists(Path.of(path));
                } else {
                    new S3ObjectStore(client, bucket).delete(path);
                }
            } catch (IOException e) {
                throw new CdcException("what was written to " + path + " could not be deleted: " + e.getMessage(), e);
            }
        }
    }

    /** Closes DuckDB, and the S3 client if it was made here. */
    @Override
    public synchronized void close() {
        if (builtIn != null) {
            builtIn.close();
        }
        if (extensions != null) {
            extensions.close();
        }
        if (ownClient != null) {
            ownClient.close();
        }
    }
}
