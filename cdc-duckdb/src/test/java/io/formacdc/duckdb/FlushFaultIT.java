package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.Point;
import io.formacdc.duckdb.SteppedFlush.Step;
import io.formacdc.duckdb.SteppedFlush.When;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ObjectStore;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Every effect of a pass fails, before and after it took place: the state is that of the contract's fault table. */
@ExtendWith(NoSecretInLogs.class)
final class FlushFaultIT {
    private static final int CHUNK = 4;
    private static final int CHUNKS = 3;
    private static final int ROWS = CHUNK * CHUNKS;

    /** The chunk in the middle, counted from 1. */
    private static final int MIDDLE = 2;

    @TempDir
    private static Path spill;

    private static int lastSchemaId;
    private static TestHost host;
    private static SteppedFlush flush;
    private static CdcConfig config;

    private Entities entities;
    private int schemaId;

    @BeforeAll
    static void start() throws SQLException {
        host = new TestHost();
        flush = new SteppedFlush(host);
        config = host.config().batchSize(CHUNK).spillDirectory(spill.toString()).build();
    }

    @AfterAll
    static void stop() throws SQLException {
        host.close();
    }

    @BeforeEach
    void createEntities() throws SQLException {
        host.sql("DELETE FROM change_log");
        schemaId = ++lastSchemaId;
        entities = new Entities(host, schemaId).insertMany(ROWS);
    }

    /**
     * What the fault table says of a failure.
     *
     * @param listed files in the manifest
     * @param flushed chunks whose rows are marked
     * @param orphans objects that no manifest lists
     * @param heals whether the pass goes on to its end
     */
    private record Aftermath(int listed, int flushed, int orphans, boolean heals) {
        static final Aftermath NONE = new Aftermath(CHUNKS, CHUNKS, 0, true);

        static Aftermath of(Point fault) {
            int before = fault.occurrence() - 1;
            boolean done = fault.when() == When.AFTER;
            return switch (fault.effect()) {
                case DIRTY_SCHEMAS, REGISTRY, LOCK, MANIFEST_GET, STATS, CATALOG, LAST_ROW ->
                    new Aftermath(0, 0, 0, false);
                case SNAPSHOT, SELECT, EXPORT, PUT, HEAD -> new Aftermath(before, before, 0, false);
                case MARK -> new Aftermath(before + 1, done ? before + 1 : before, 0, false);
                // Saved again, or found saved.
                case MANIFEST_PUT, UNLOCK -> NONE;
                case DELETE, OTHER_SQL -> throw new IllegalArgumentException("no effect of a clean pass: " + fault);
            };
        }
    }

    @TestFactory
    List<DynamicTest> everyEffectFailsBeforeAndAfterItTookPlace() throws SQLException {
        flush.run(config, point -> {});
        List<Point> faults = flush.trace().stream()
                .filter(point -> point.effect() != Effect.OTHER_SQL && point.occurrence() <= MIDDLE)
                .toList();
        assertThat(faults.stream().map(Point::effect).distinct()).hasSize(Effect.values().length - 2);
        System.out.println("FlushFaultIT: " + faults.size() + " single faults");
        return faults.stream()
                .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> assertAftermath(fault)))
                .toList();
    }

    /** SQL that only sets up or ends a read-only transaction. */
    @TestFactory
    List<DynamicTest> transactionStatementsFail() throws SQLException {
        flush.run(config, point -> {});
        List<Point> faults = flush.trace().stream()
                .filter(point -> point.effect() == Effect.OTHER_SQL && point.when() == When.BEFORE)
                .limit(12)
                .toList();
        assertThat(faults).isNotEmpty();
        System.out.println("FlushFaultIT: " + faults.size() + " faults of transactions");
        return faults.stream()
                .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> {
                    createEntities();
                    Throwable thrown = catchThrowable(() -> flush.run(config, failAt(fault)));
                    assertThat(thrown).isInstanceOf(SchemaFlushException.class);
                    assertNothingIsLost();
                }))
                .toList();
    }

    private void assertAftermath(Point fault) throws SQLException {
        createEntities();
        Aftermath expected = Aftermath.of(fault);

        Throwable thrown = catchThrowable(() -> flush.run(config, failAt(fault)));

        if (expected.heals()) {
            assertThat(thrown).isNull();
        } else if (fault.effect() == Effect.DIRTY_SCHEMAS) {
            assertThat(thrown).hasMessageContaining("search for dirty schemas in \"change_log\" failed");
        } else {
            SchemaFlush failed = failure(thrown);
            assertThat(failed.outcome()).isEqualTo(Outcome.FAILED);
            assertThat(failed.error()).hasMessageContaining("schema " + schemaId + ", ");
            assertThat(thrown).hasMessageContaining("schema " + schemaId + ", ");
        }
        assertThat(entities.dirty()).hasSize(ROWS - expected.flushed() * CHUNK);
        assertThat(host.listedKeys(schemaId)).hasSize(expected.listed());
        assertThat(objects()).hasSize(expected.listed() + expected.orphans());
        entities.assertViewEqualsPostgres(config);
        assertNothingIsLost();
    }

    private void assertNothingIsLost() throws SQLException {
        Leftovers.assertNone(host, spill);
        flush.run(config, point -> {});
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void saveThatFailsForeverIsReportedAsUnknownAndItsObjectKept() throws SQLException {
        for (When when : When.values()) {
            createEntities();
            Step lost = point -> {
                boolean save = point.effect() == Effect.MANIFEST_PUT && point.when() == when;
                boolean reload = point.effect() == Effect.MANIFEST_GET && point.occurrence() > 1;
                if (save || reload) {
                    SteppedFlush.fail();
                }
            };

            SchemaFlush unknown = failure(catchThrowable(() -> flush.run(config, lost)));

            assertThat(unknown.outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(objects()).hasSize(1);
            assertThat(unknown.error()).hasMessageContaining(objects().get(0));
            assertThat(unknown.error()).hasCauseInstanceOf(CommitStateUnknownException.class);
            assertThat(unknown.keys()).isEmpty();
            assertThat(entities.dirty()).hasSize(ROWS);
            assertThat(host.listedKeys(schemaId)).hasSize(when == When.AFTER ? 1 : 0);
            assertNothingIsLost();
        }
    }

    @Test
    void unknownSaveOfTheSecondChunkKeepsTheFirst() throws SQLException {
        Step lost = point -> {
            boolean save = point.effect() == Effect.MANIFEST_PUT && point.occurrence() >= 2;
            boolean reload = point.effect() == Effect.MANIFEST_GET && point.occurrence() > 1;
            if (save || reload) {
                SteppedFlush.fail();
            }
        };

        SchemaFlush unknown = failure(catchThrowable(() -> flush.run(config, lost)));

        assertThat(unknown.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(unknown.chunks()).isEqualTo(1);
        assertThat(unknown.markedRows()).isEqualTo(CHUNK);
        assertThat(entities.dirty()).hasSize(ROWS - CHUNK);
        assertNothingIsLost();
    }

    @Test
    void savesThatOthersKeepOvertakingLeaveRowsDirtyAndNoObject() throws SQLException {
        ManifestStore store = new ManifestStore(
                new S3ObjectStore(host.client, TestHost.s3().bucket()),
                ManifestConfig.of(config).orElseThrow(),
                ManifestStoreOptions.DEFAULTS);
        Step overtaken = point -> {
            if (point.effect() == Effect.MANIFEST_PUT && point.when() == When.BEFORE) {
                store.update(schemaId, new Relabelling());
            }
        };

        SchemaFlush failed = failure(catchThrowable(() -> flush.run(config, overtaken)));

        assertThat(failed.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(failed.error()).hasMessageContaining("/delta/" + schemaId + "/");
        assertThat(objects()).isEmpty();
        assertThat(entities.dirty()).hasSize(ROWS);
    }

    /** A save that is no flush: it lists a base file, and so overtakes whoever saves at the same time. */
    private static final class Relabelling implements ManifestChange {
        private final ManifestEntry base = ManifestEntry.delta(
                "base-" + java.util.UUID.randomUUID() + ".parquet",
                new FileContents(0, 0, "sha256:", null, null, java.util.Map.of()));

        @Override
        public String key() {
            return base.path();
        }

        @Override
        public Manifest applyTo(Manifest manifest) {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(base);
            return manifest.toBuilder().entries(entries).build();
        }
    }

    @Test
    void oneFailedSchemaKeepsNoOtherFromBeingFlushed() throws SQLException {
        Entities broken = entities;
        Entities unknownToRegistry = new Entities(host, ++lastSchemaId).insertMany(ROWS);
        Entities good = new Entities(host, ++lastSchemaId).insertMany(ROWS);

        Throwable thrown = catchThrowable(() -> flush.run(
                config,
                id -> id == unknownToRegistry.schemaId ? Optional.empty() : Entities.REGISTRY.findAttributes(id),
                CdcListener.NONE,
                false,
                failAt(new Point(Effect.EXPORT, 1, When.BEFORE))));

        assertThat(thrown)
                .isInstanceOf(SchemaFlushException.class)
                .hasMessageStartingWith("2 of 3 schemas failed: schema " + broken.schemaId + ", export of 4 rows: ")
                .hasMessageContaining(
                        "schema " + unknownToRegistry.schemaId + ", look-up of the schema's attributes: ");
        assertThat(thrown.getSuppressed()).hasSize(2);
        FlushReport report = ((SchemaFlushException) thrown).report();
        assertThat(report.schemas())
                .extracting(SchemaFlush::outcome)
                .containsExactly(Outcome.FAILED, Outcome.FAILED, Outcome.FLUSHED);
        assertThat(report.rows()).isEqualTo(ROWS);
        good.assertLakeEqualsPostgres(config);
        assertThat(broken.dirty()).hasSize(ROWS);
        assertThat(unknownToRegistry.dirty()).hasSize(ROWS);
    }

    @Test
    void sessionOfTheLockKilledBeforeTheMarkLeavesTheListedRowsDirty() throws SQLException {
        Step kill = point -> {
            if (point.equals(new Point(Effect.MARK, MIDDLE, When.BEFORE))) {
                host.sql(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = "
                                + schemaId);
            }
        };

        SchemaFlush failed = failure(catchThrowable(() -> flush.run(config, kill)));

        assertThat(failed.error())
                .hasMessageContaining("mark of the rows of " + objects().get(1));
        assertThat(failed.markedRows()).isEqualTo(CHUNK);
        assertThat(host.listedKeys(schemaId)).hasSize(2);
        assertThat(entities.dirty()).hasSize(ROWS - CHUNK);
        assertNothingIsLost();
    }

    @Test
    void backendsOfTheExportKilledLeaveRowsDirty() throws SQLException {
        Step kill = point -> {
            if (point.equals(new Point(Effect.EXPORT, MIDDLE, When.BEFORE))) {
                host.sql(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
                                + " AND application_name = 'forma-cdc' AND state = 'idle in transaction'");
            }
        };

        SchemaFlush failed = failure(catchThrowable(() -> flush.run(config, kill)));

        assertThat(failed.error()).hasMessageContaining("export of 4 rows: ");
        assertThat(host.listedKeys(schemaId)).hasSize(1);
        assertThat(entities.dirty()).hasSize(ROWS - CHUNK);
        assertNothingIsLost();
    }

    @Test
    void objectThatTheStoreCutShortIsNotListed() throws SQLException {
        S3ObjectStore store = new S3ObjectStore(host.client, TestHost.s3().bucket());
        Step cut = point -> {
            if (point.equals(new Point(Effect.PUT, 1, When.AFTER))) {
                String key = objects().get(0);
                store.delete(key);
                store.putIfAbsent(key, new byte[] {'P', 'A', 'R', '1'});
            }
        };

        SchemaFlush failed = failure(catchThrowable(() -> flush.run(config, cut)));

        assertThat(failed.error()).hasMessageContaining("the store holds 4 bytes of ");
        assertThat(objects()).isEmpty();
        assertThat(entities.dirty()).hasSize(ROWS);
        assertNothingIsLost();
    }

    private static Step failAt(Point fault) {
        return point -> {
            if (point.equals(fault)) {
                SteppedFlush.fail();
            }
        };
    }

    private SchemaFlush failure(Throwable thrown) {
        assertThat(thrown).isInstanceOf(SchemaFlushException.class);
        return ((SchemaFlushException) thrown).report().schema(schemaId).orElseThrow();
    }

    private List<String> objects() {
        return host.dataKeys().stream()
                .filter(key -> key.contains("/delta/" + schemaId + "/"))
                .toList();
    }
}
