package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.UuidV7;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestEntryBuilder;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A flushed schema of a host, and whatever can be done to it behind the library's back. */
final class BrokenLake {
    static final int SCHEMA = 7;

    final TestHost host;
    final CdcConfig config;
    final Entities entities;
    final ManifestStore manifests;
    private final Path folder;

    BrokenLake(TestHost host, Path folder) {
        this.host = host;
        this.folder = folder;
        this.config = host.config().batchSize(10).build().withDefaults();
        this.entities = new Entities(host, SCHEMA);
        this.manifests =
                new ManifestStore(host.store(), ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.DEFAULTS);
    }

    /** Flushes what is dirty; keys of the files, in row-id order. */
    List<String> flush() {
        FlushReport report = Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
        return report.schema(SCHEMA).orElseThrow().keys();
    }

    Manifest manifest() {
        return manifests.load(SCHEMA).manifest();
    }

    String manifestKey() {
        return ManifestConfig.of(config).orElseThrow().keyFor(SCHEMA);
    }

    /** Saves another manifest. */
    void change(UnaryOperator<Manifest> change) {
        String unique = UuidV7.next().toString();
        manifests.update(SCHEMA, new ManifestChange() {
            @Override
            public String key() {
                return unique;
            }

            @Override
            public Manifest applyTo(Manifest manifest) {
                return change.apply(manifest);
            }
        });
    }

    /** Takes a file off the list; its object stays. */
    void unlist(String key) {
        change(m -> m.toBuilder()
                .entries(m.entries().stream().filter(e -> !e.key().equals(key)).toList())
                .build());
    }

    void list(ManifestEntry entry) {
        change(m -> m.toBuilder()
                .entries(Stream.concat(m.entries().stream(), Stream.of(entry)).toList())
                .build());
    }

    ManifestEntry entry(String key) {
        return manifest().entries().stream()
                .filter(e -> e.key().equals(key))
                .findFirst()
                .orElseThrow();
    }

    /** Changes what is listed of a file. */
    void relist(String key, UnaryOperator<ManifestEntryBuilder> change) {
        change(m -> m.toBuilder()
                .entries(m.entries().stream()
                        .map(e -> e.key().equals(key)
                                ? change.apply(e.toBuilder()).build()
                                : e)
                        .toList())
                .build());
    }

    void write(String key, byte[] content) throws IOException {
        host.store().put(key, Files.write(folder.resolve("content"), content));
    }

    /** Replaces a file by what a query makes of its rows, which it calls {@code f}. */
    void rewrite(String key, String query) throws SQLException {
        Path source = folder.resolve("source.parquet");
        Path target = folder.resolve("target.parquet");
        host.store().download(key, source);
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("CREATE VIEW f AS FROM read_parquet(" + ExportSql.literal(source.toString()) + ")");
            statement.execute("COPY (" + query + ") TO " + ExportSql.literal(target.toString()) + " (FORMAT PARQUET)");
        }
        host.store().put(key, target);
    }

    /** Names, types and field ids of a file's columns. */
    List<String> columns(String key) throws SQLException {
        Path file = folder.resolve("columns.parquet");
        host.store().download(key, file);
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            return Entities.rows(
                    duckDb,
                    "SELECT concat_ws('|', name, type, field_id) FROM parquet_schema("
                            + ExportSql.literal(file.toString()) + ")");
        }
    }

    /** The least or greatest row id of a file, listed or not. */
    String row(String key, String minOrMax) throws SQLException {
        Path file = folder.resolve("row.parquet");
        host.store().download(key, file);
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            return Entities.rows(
                            duckDb,
                            "SELECT " + minOrMax + "(row_id)::VARCHAR FROM " + ExportSql.literal(file.toString()))
                    .get(0);
        }
    }

    /** A new key of the given form, with the bytes of another object. */
    String copy(String key, String name) {
        String copy = config.s3Prefix() + "/" + SCHEMA + "/"
                + name.replace("U", UuidV7.next().toString());
        host.store().copy(key, copy);
        return copy;
    }
}
