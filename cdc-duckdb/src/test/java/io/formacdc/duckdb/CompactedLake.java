package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.RowIdInterval;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A schema with a writer, and what flushes, compacts and sweeps it. */
abstract class CompactedLake {
    static final int SCHEMA = 7;

    @TempDir
    Path spill;

    TestHost host;
    Entities entities;
    private long nextVersion = Entities.FIRST_VERSION + 1_000_000;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        entities = new Entities(host, SCHEMA);
    }

    @AfterEach
    void close() throws SQLException {
        Leftovers.assertNone(host, spill);
        host.close();
    }

    /** Disjoint base files in row-id order, with true bounds, one live version of each row. */
    void assertInShape() throws SQLException {
        UUID end = null;
        for (ManifestEntry entry : manifest().base()) {
            UUID min = UUID.fromString(Objects.requireNonNull(entry.minRowId()));
            assertThat(end == null || RowIdInterval.BYTE_ORDER.compare(end, min) < 0)
                    .as("base files in order")
                    .isTrue();
            end = UUID.fromString(Objects.requireNonNull(entry.maxRowId()));
            assertThat(factsOf(entry)).isEqualTo(entry.rowCount() + "|" + entry.rowCount() + "|0|0|" + min + "|" + end);
        }
    }

    private String factsOf(ManifestEntry entry) throws SQLException {
        Path file;
        try {
            file = Files.createTempFile("base", ".parquet");
            host.store().download(entry.key(), file);
            try (java.sql.Connection duckDb = java.sql.DriverManager.getConnection("jdbc:duckdb:")) {
                return Entities.rows(
                                duckDb,
                                "SELECT concat_ws('|', count(*), count(DISTINCT row_id), min(deleted_at),"
                                        + " max(deleted_at), min(row_id), max(row_id)) FROM '" + file + "'")
                        .get(0);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Gives so many entities, spread over all, the next version. */
    void changeSome(int count) throws SQLException {
        update(Entities.rows(
                host.connection,
                "SELECT ltbase_row_id FROM entity_main WHERE ltbase_schema_id = 7 ORDER BY md5(ltbase_row_id::text || "
                        + nextVersion + ") LIMIT " + count));
    }

    void update(List<String> ids) throws SQLException {
        host.connection.setAutoCommit(false);
        for (String id : ids) {
            entities.update(host.connection, UUID.fromString(id), nextVersion++);
        }
        host.connection.commit();
        host.connection.setAutoCommit(true);
    }

    CdcConfig config() {
        return host.config().spillDirectory(spill.toString()).build();
    }

    void flush() {
        Cdc.runOnce(config(), host.client, false, Entities.REGISTRY);
    }

    static CompactionConfig compaction() {
        CompactionConfigBuilder builder =
                CompactionConfig.builder().schemaId(SCHEMA).targetBaseSizeMb(1);
        return builder.maxRetries(8).baseBackoff(Duration.ofMillis(1)).build();
    }

    SchemaCompaction compact() {
        return compactOrThrow(compaction());
    }

    SchemaCompaction compactOrThrow(CompactionConfig compaction) {
        return Cdc.compact(config(), compaction, host.client).schema(SCHEMA).orElseThrow();
    }

    Compactor compactor(ObjectStore store, CompactionConfig compaction) {
        CdcConfig config = config().withDefaults().validate();
        CompactionConfig complete = compaction.withDefaults().validate();
        return new Compactor(
                config,
                complete,
                CompactionTarget.of(config, complete, store).ports(new DuckMerger(config)),
                CdcListener.NONE,
                Clock.systemUTC());
    }

    Sweeper sweeper(Clock clock) {
        return new Sweeper(host.store(), manifests(), config().s3Prefix(), SweepOptions.DEFAULTS, clock);
    }

    ManifestStore manifests() {
        return new ManifestStore(
                host.store(), ManifestConfig.of(config().withDefaults()).orElseThrow(), ManifestStoreOptions.DEFAULTS);
    }

    Manifest manifest() {
        return manifests().load(SCHEMA).manifest();
    }

    String manifestKey() {
        return ManifestConfig.of(config().withDefaults()).orElseThrow().keyFor(SCHEMA);
    }

    static List<String> keys(List<ManifestEntry> entries) {
        return entries.stream().map(ManifestEntry::key).toList();
    }
}
