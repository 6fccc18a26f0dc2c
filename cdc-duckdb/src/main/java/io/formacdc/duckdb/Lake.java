package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One schema of the lake, read: a private copy of its listed files, and over it the DuckDB view {@value #VIEW}, as
 * {@link LakeView} defines it. For checks, tests and small reports; a reader of large lakes gives the listed files to
 * {@link LakeView} where they are. Confined to a thread.
 */
public final class Lake implements AutoCloseable {
    /** Name of the view. */
    public static final String VIEW = "lake";

    private final DuckSession session;
    private final List<String> keys;

    private Lake(DuckSession session, List<String> keys) {
        this.session = session;
        this.keys = keys;
    }

    /**
     * The files alone: what a reader sees that cannot reach PostgreSQL. Needs no PostgreSQL, which need not be configured.
     *
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work
     * @throws IllegalArgumentException for a schema id outside 1..32767
     * @throws CdcException naming the file, if one cannot be read, or has not the size and checksum that the manifest tells
     */
    public static Lake open(CdcConfig config, S3FullClient client, int schemaId) {
        CdcConfig complete = config.withDefaults().validateApartFromPostgres();
        return open(complete, new S3ObjectStore(client, complete.s3Bucket()), SchemaIds.check(schemaId), null);
    }

    /**
     * The files, and the rows dirty in PostgreSQL in the place of what the files say of them: what a reader sees that can
     * reach both. A host with connections of its own calls {@link CdcRunner#openLakeWithDirtyRows}.
     *
     * @param registry the one that flushes use
     * @throws io.formacdc.core.InvalidConfigException if the configuration cannot work
     * @throws IllegalArgumentException for a schema id outside 1..32767
     * @throws CdcException if the tables or the files cannot be read
     */
    public static Lake openWithDirtyRows(
            CdcConfig config, S3FullClient client, int schemaId, @Nullable SchemaRegistry registry) {
        CdcConfig complete = config.withDefaults().validate();
        TrackedConnections connections = new TrackedConnections(PgDataSources.of(complete));
        ObjectStore store = new S3ObjectStore(client, complete.s3Bucket());
        return openWithDirtyRows(complete, connections, store, schemaId, registry);
    }

    /** @param config with defaults filled in, validated */
    static Lake openWithDirtyRows(
            CdcConfig config,
            TrackedConnections connections,
            ObjectStore store,
            int schemaId,
            @Nullable SchemaRegistry registry) {
        SchemaIds.check(schemaId);
        SchemaAttributes attributes = registry == null
                ? null
                : registry.findAttributes(schemaId)
                        .orElseThrow(() -> new CdcException("the schema registry does not know schema " + schemaId));
        try (InterruptWatch watch = InterruptWatch.open();
                PgExporter exporter = new PgExporter(config, connections, watch);
                PgExporter.DirtyRows snapshot = exporter.openSnapshot(schemaId, attributes)) {
            UUID last = snapshot.lastRowId();
            Chunk dirty = last == null ? null : snapshot.selectChunk(null, last, Integer.MAX_VALUE);
            if (dirty == null) {
                return open(config, store, schemaId, null);
            }
            // The list of files is read after the instant of the dirty rows: a row that was not dirty then was listed
            // before that.
            try (ExportedFile file = snapshot.export(dirty, rows -> {})) {
                return open(config, store, schemaId, file.path());
            }
        }
    }

    private static Lake open(CdcConfig config, ObjectStore store, int schemaId, @Nullable Path dirtyRows) {
        DuckSession session = DuckSession.open(config);
        try {
            List<String> files = new ArrayList<>();
            List<ManifestEntry> listed = listed(config, store, schemaId);
            for (ManifestEntry entry : listed) {
                Path file = session.folder().resolve(files.size() + ".parquet");
                store.download(entry.key(), file);
                entry.verify(file);
                requireParquet(session.connection(), schemaId, entry.key(), file);
                files.add(file.toString());
            }
            Path dirty = null;
            if (dirtyRows != null) {
                dirty = session.folder().resolve("dirty.parquet");
                Files.move(dirtyRows, dirty, StandardCopyOption.REPLACE_EXISTING);
            }
            LakeView.create(session.connection(), VIEW, files, dirty == null ? null : dirty.toString());
            return new Lake(session, listed.stream().map(ManifestEntry::key).toList());
        } catch (IOException | SQLException e) {
            session.close();
            throw new CdcException("schema " + schemaId + " of the lake cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** DuckDB's own errors name the copy. */
    private static void requireParquet(Connection connection, int schemaId, String key, Path file) {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT num_rows FROM parquet_file_metadata(" + ExportSql.literal(file.toString()) + ")");
        } catch (SQLException e) {
            throw new CdcException(
                    "schema " + schemaId + " of the lake cannot be read: \"" + key + "\" is no Parquet file", e);
        }
    }

    /** Without a manifest, entries that tell no more than the keys of what is in the bucket. */
    private static List<ManifestEntry> listed(CdcConfig config, ObjectStore store, int schemaId) {
        Optional<ManifestConfig> manifests = ManifestConfig.of(config);
        if (manifests.isPresent()) {
            return new ManifestStore(store, manifests.get(), ManifestStoreOptions.of(config))
                    .load(schemaId)
                    .manifest()
                    .entries();
        }
        String prefix = CdcPaths.schemaPrefix(config.s3Prefix(), schemaId);
        try (Stream<ObjectInfo> objects = store.list(prefix)) {
            return objects.map(ObjectInfo::key)
                    .filter(key -> key.endsWith(".parquet") && key.indexOf('/', prefix.length()) < 0)
                    .map(Lake::unlisted)
                    .toList();
        }
    }

    private static ManifestEntry unlisted(String key) {
        return new ManifestEntry(
                key, null, null, null, null, null, ManifestEntry.DELTA, null, null, Map.of(), Map.of());
    }

    /** A connection to the DuckDB that has the view. It sees no other file, and no network. */
    public Connection connection() {
        return session.connection();
    }

    /** Keys of the files under the view. */
    public List<String> keys() {
        return keys;
    }

    /** Deletes the copies. */
    @Override
    public void close() {
        session.close();
    }
}
