package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.Point;
import io.formacdc.duckdb.SteppedFlush.When;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PassIT {
    private static final String UUID_V7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

    @TempDir
    private static Path spill;

    private static int lastSchemaId;
    private static TestHost host;

    private int schemaId;
    private Entities entities;

    @BeforeAll
    static void start() throws SQLException {
        host = new TestHost();
    }

    @AfterAll
    static void stop() throws SQLException {
        host.close();
    }

    @BeforeEach
    void chooseSchema() throws SQLException {
        host.sql("DELETE FROM change_log");
        schemaId = ++lastSchemaId;
        entities = new Entities(host, schemaId);
    }

    private static CdcConfigBuilder config() {
        return host.config().batchSize(10).spillDirectory(spill.toString());
    }

    private SchemaFlush flush(CdcConfig config) {
        return Cdc.runOnce(config, host.client, false, Entities.REGISTRY)
                .schema(schemaId)
                .orElseThrow();
    }

    private List<ObjectInfo> objects() {
        return host.objects().stream()
                .filter(o -> o.key().contains("/" + schemaId + "/") || o.key().endsWith("/" + schemaId + ".json"))
                .toList();
    }

    @Test
    void drainsWhatIsDirtyInChunksAndReportsIt() throws SQLException {
        entities.insertMany(25);
        CdcConfig config = config().build();

        FlushReport report = Cdc.runOnce(config, host.client, false, Entities.REGISTRY);

        SchemaFlush flush = report.schema(schemaId).orElseThrow();
        List<ObjectInfo> files =
                objects().stream().filter(o -> o.key().endsWith(".parquet")).toList();
        assertThat(flush.outcome()).isEqualTo(Outcome.FLUSHED);
        assertThat(flush.dirtyRows()).isEqualTo(25);
        assertThat(flush.rows()).isEqualTo(25);
        assertThat(flush.markedRows()).isEqualTo(25);
        assertThat(flush.chunks()).isEqualTo(3);
        assertThat(flush.bytes())
                .isEqualTo(files.stream().mapToLong(ObjectInfo::sizeBytes).sum());
        assertThat(flush.lossyCasts()).isEmpty();
        assertThat(flush.error()).isNull();
        assertThat(flush.duration()).isPositive().isLessThanOrEqualTo(report.duration());
        assertThat(flush.keys())
                .hasSize(3)
                .isSorted()
                .isEqualTo(host.listedKeys(schemaId))
                .containsExactlyInAnyOrderElementsOf(
                        files.stream().map(ObjectInfo::key).toList())
                .allMatch(key -> key.matches(".+/delta/" + schemaId + "/" + UUID_V7 + "\\.parquet"));
        assertThat(report.rows()).isEqualTo(25);
        assertThat(report.files()).isEqualTo(3);
        assertThat(report.dryRun()).isFalse();
        assertThat(objects())
                .extracting(ObjectInfo::key)
                .contains(config.manifestPrefix() + "/manifest/" + schemaId + ".json");
        entities.assertLakeEqualsPostgres(config);
        Leftovers.assertNone(host, spill);
    }

    @Test
    void schemasThatShareARowIdKeepTheirOwnColumnsAndAttributes() throws SQLException {
        UUID shared = entities.id(1);
        Entities other = new Entities(host, ++lastSchemaId);
        Entities bare = new Entities(host, ++lastSchemaId);
        entities.insert(host.connection, shared, 100);
        other.insert(host.connection, shared, 200);
        host.insert(bare.schemaId, shared, 300);
        CdcConfig config = config().build();

        Cdc.runOnce(config, host.client, false, Entities.REGISTRY);

        entities.assertLakeEqualsPostgres(config);
        other.assertLakeEqualsPostgres(config);
        bare.assertLakeEqualsPostgres(config);
    }

    @Test
    void bytesOfABatchBoundItsRows() throws SQLException {
        entities.insertMany(25);
        assertThat(flush(config().estimatedRowBytes(500)
                                .maxBatchBytes(4_999)
                                .batchSize(1_000)
                                .build())
                        .chunks())
                .isEqualTo(3);
    }

    @Test
    void passEndsAlthoughAWriterKeepsAddingRowsBehindItsLast() throws SQLException {
        entities.insertMany(25);
        List<UUID> added = new ArrayList<>();
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            FlushReport report = new SteppedFlush(host).run(config().build(), point -> {
                if (point.effect() == Effect.SELECT && point.when() == When.BEFORE) {
                    assertThat(point.occurrence())
                            .as("chunks of a pass that does not end")
                            .isLessThan(10);
                    for (int i = 0; i < 10; i++) {
                        UUID id = new UUID(-1, -1_000_000 + added.size());
                        entities.insert(writer, id, Entities.FIRST_VERSION + 1_000);
                        added.add(id);
                    }
                }
            });
            assertThat(report.rows()).isEqualTo(25);
        }
        assertThat(entities.dirty()).containsExactlyInAnyOrderElementsOf(added);
        entities.assertViewEqualsPostgres(config().build());
    }

    @Test
    void passEndsAlthoughAWriterKeepsDirtyingTheSameRows() throws SQLException {
        entities.insertMany(25);
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            FlushReport report = new SteppedFlush(host).run(config().build(), point -> {
                if (point.effect() == Effect.MARK && point.when() == When.AFTER) {
                    for (int n = 1; n <= 25; n++) {
                        entities.update(writer, entities.id(n), Entities.FIRST_VERSION + 1_000 + point.occurrence());
                    }
                }
            });
            assertThat(report.rows()).isEqualTo(25);
        }
        assertThat(entities.dirty()).hasSize(25);
        flush(config().build());
        entities.assertLakeEqualsPostgres(config().build());
    }

    @Test
    void fewYoungRowsWaitUntilTheyAreManyOrOld() throws SQLException {
        entities.insertMany(9);
        long oldest = Entities.FIRST_VERSION + 1;
        CdcConfig config = config().minRecords(10).maxAgeMs(60_000).build();

        assertThat(outcomeAt(oldest + 59_999, config)).isEqualTo(Outcome.BELOW_THRESHOLD);
        assertThat(objects()).isEmpty();
        assertThat(outcomeAt(oldest + 60_000, config)).isEqualTo(Outcome.FLUSHED);
    }

    @Test
    void manyRowsAreFlushedHoweverYoung() throws SQLException {
        entities.insertMany(10);
        CdcConfig config = config().minRecords(10).maxAgeMs(Long.MAX_VALUE).build();
        assertThat(outcomeAt(Entities.FIRST_VERSION, config)).isEqualTo(Outcome.FLUSHED);
    }

    @Test
    void versionsAheadOfTheClockCountAsYoungAndAreFlushedWithTheOthers() throws SQLException {
        entities.insertMany(10);
        long yearsBefore = Entities.FIRST_VERSION - 100_000_000_000L;
        assertThat(outcomeAt(yearsBefore, config().minRecords(11).maxAgeMs(1).build()))
                .isEqualTo(Outcome.BELOW_THRESHOLD);
        assertThat(outcomeAt(yearsBefore, config().minRecords(10).maxAgeMs(1).build()))
                .isEqualTo(Outcome.FLUSHED);
        entities.assertLakeEqualsPostgres(config().build());
    }

    private Outcome outcomeAt(long nowMillis, CdcConfig config) {
        Clock clock = Clock.fixed(Instant.ofEpochMilli(nowMillis), ZoneOffset.UTC);
        return new SteppedFlush(host)
                .at(clock)
                .run(config, point -> {})
                .schema(schemaId)
                .orElseThrow()
                .outcome();
    }

    @Test
    void flushWithNothingDirtyTouchesNothing() throws SQLException {
        entities.insertMany(5);
        flush(config().build());
        List<ObjectInfo> objects = host.objects();
        String tables = host.tables();

        assertThat(host.flush(Entities.REGISTRY).schemas()).isEmpty();

        assertThat(host.objects()).isEqualTo(objects);
        assertThat(host.tables()).isEqualTo(tables);
    }

    @Test
    void withoutAManifestTheObjectInItsPlaceIsTheCommit() throws SQLException {
        entities.insertMany(25);
        CdcConfig config = config().manifestPrefix("").build();

        assertThat(flush(config).markedRows()).isEqualTo(25);

        assertThat(objects()).hasSize(3).allMatch(o -> o.key().endsWith(".parquet"));
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void emptyPrefixGivesKeysWithoutALeadingSlash() throws SQLException {
        int ownSchema = 32_767;
        new Entities(host, ownSchema).insertMany(1);
        CdcConfig config = config().s3Prefix("").build();
        List<String> keys = Cdc.runOnce(config, host.client, false, Entities.REGISTRY)
                .schema(ownSchema)
                .orElseThrow()
                .keys();
        assertThat(keys).singleElement().asString().matches("32767/" + UUID_V7 + "\\.parquet");
    }

    @Test
    void thousandSchemasBelowTheThresholdCostFiveStatementsAtMost() throws SQLException {
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT 1000 + n, gen_random_uuid(), "
                + System.currentTimeMillis() + " FROM generate_series(1, 1000) n");
        SteppedFlush flush = new SteppedFlush(host);

        FlushReport report =
                flush.run(config().minRecords(2).maxAgeMs(3_600_000).build(), point -> {});

        assertThat(report.schemas()).hasSize(1000).allMatch(s -> s.outcome() == Outcome.BELOW_THRESHOLD);
        assertThat(flush.trace())
                .filteredOn(point -> point.when() == When.BEFORE)
                .hasSizeBetween(1, 5);
        assertThat(report.duration()).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void lastChunkIsNotLookedForTwice() throws SQLException {
        entities.insertMany(20);
        SteppedFlush flush = new SteppedFlush(host);
        flush.run(config().build(), point -> {});
        assertThat(flush.trace()).doesNotContain(new Point(Effect.SNAPSHOT, 3, When.BEFORE));
    }
}
