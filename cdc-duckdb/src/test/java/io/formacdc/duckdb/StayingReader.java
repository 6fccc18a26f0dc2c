package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A reader of files and dirty rows that keeps its sessions between two looks, and copies of objects as long as their etag
 * is the same: cheap enough to look after every step of many thousands. Every other look lets the manifest tell which files
 * hold each row once. Confined to a thread.
 */
final class StayingReader implements AutoCloseable {
    private final ObjectStore store;
    private final Path folder;
    private final String prefix;
    private final InterruptWatch watch = InterruptWatch.open();
    private final PgExporter exporter;
    private final Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
    private final ManifestStore manifests;
    private final Map<String, Path> copies = new HashMap<>();
    private long looks;

    /** @param folder for copies of objects */
    StayingReader(TestHost host, ObjectStore store, Path folder) throws SQLException {
        this.store = store;
        this.folder = folder;
        CdcConfig config = host.config()
                .spillDirectory(folder.toString())
                .duckThreads(1)
                .parquetCompression("uncompressed")
                .build()
                .withDefaults();
        this.prefix = config.s3Prefix() + "/";
        this.exporter = new PgExporter(config, new TrackedConnections(host.postgres.dataSource()), watch);
        this.manifests =
                new ManifestStore(store, ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.DEFAULTS);
        try (Statement statement = duckDb.createStatement()) {
            statement.execute("SET threads = 1");
            statement.execute("SET parquet_metadata_cache = true"); // no path is ever used again
        }
    }

    /** What the view shows now. Every listed file must be there. */
    List<List<@Nullable Object>> read(String name) throws SQLException, IOException {
        // As in Lake: the list is read after the instant of the dirty rows.
        try (PgExporter.DirtyRows snapshot = exporter.openSnapshot(
                RandomEntities.SCHEMA,
                RandomEntities.REGISTRY.findAttributes(RandomEntities.SCHEMA).orElseThrow())) {
            UUID last = snapshot.lastRowId();
            Chunk dirty = last == null ? null : snapshot.selectChunk(null, last, Integer.MAX_VALUE);
            if (dirty == null) {
                return read(name, null);
            }
            try (ExportedFile file = snapshot.export(dirty, rows -> {})) {
                return read(name, file.path());
            }
        }
    }

    private List<List<@Nullable Object>> read(String name, @Nullable Path dirtyRows) throws SQLException, IOException {
        Manifest manifest = manifests.load(RandomEntities.SCHEMA).manifest();
        List<String> keys = manifest.entries().stream().map(ManifestEntry::key).toList();
        Map<String, Path> files = copiesOf(keys, name);
        UnaryOperator<String> location = key -> String.valueOf(files.get(key));
        String dirty = dirtyRows == null ? null : dirtyRows.toString();
        return RandomEntities.inLake(
                duckDb,
                looks++ % 2 == 0
                        ? LakeView.sql(keys.stream().map(location).toList(), dirty)
                        : LakeView.sql(manifest, location, dirty));
    }

    private Map<String, Path> copiesOf(List<String> keys, String name) throws IOException {
        Map<String, ObjectInfo> objects;
        try (Stream<ObjectInfo> found = store.list(prefix)) {
            objects = found.collect(Collectors.toMap(ObjectInfo::key, Function.identity()));
        }
        assertThat(objects.keySet()).as(name).containsAll(keys);
        Map<String, Path> files = new HashMap<>();
        Map<String, Path> current = new HashMap<>();
        for (String key : keys) {
            String version =
                    key + " " + Objects.requireNonNull(objects.get(key)).etag();
            Path copy = copies.get(version);
            if (copy == null) {
                copy = folder.resolve("copy-" + UUID.randomUUID() + ".parquet");
                store.download(key, copy);
            }
            current.put(version, copy);
            files.put(key, copy);
        }
        forgetAllBut(current);
        return files;
    }

    private void forgetAllBut(Map<String, Path> current) throws IOException {
        for (String version : new HashSet<>(copies.keySet())) {
            if (!current.containsKey(version)) {
                Files.delete(Objects.requireNonNull(copies.get(version)));
            }
        }
        copies.clear();
        copies.putAll(current);
    }

    @Override
    public void close() throws SQLException {
        duckDb.close();
        exporter.close();
        watch.close();
    }
}
