package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.duckdb.SteppedFlush.Effect;
import io.formacdc.duckdb.SteppedFlush.Point;
import io.formacdc.duckdb.SteppedFlush.Step;
import io.formacdc.duckdb.SteppedFlush.When;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Writers at work between the snapshot of a flush and its mark. */
final class FlushRaceIT {
    private static final int ROWS = 40;

    /** Far above every version that {@link Entities#insertMany} gives. */
    private static final long NOW_MILLIS = Entities.FIRST_VERSION + 10_000_000;

    private static int lastSchemaId;
    private static TestHost host;
    private static SteppedFlush flush;

    private final Set<UUID> touched = new TreeSet<>();
    private CdcConfig config;
    private Connection writer;
    private Entities entities;

    @BeforeAll
    static void start() throws SQLException {
        host = new TestHost();
        Instant now = Instant.ofEpochMilli(NOW_MILLIS);
        flush = new SteppedFlush(host).at(Clock.fixed(now, ZoneOffset.UTC));
    }

    @AfterAll
    static void stop() throws SQLException {
        host.close();
    }

    @BeforeEach
    void createEntities() throws SQLException {
        config = host.config().build();
        // What a failed test left dirty would be flushed first, and counted.
        host.sql("DELETE FROM change_log");
        entities = new Entities(host, ++lastSchemaId).insertMany(ROWS);
        writer = host.postgres.dataSource().getConnection();
        writer.setAutoCommit(false);
    }

    @AfterEach
    void closeWriter() throws SQLException {
        writer.close();
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({"SNAPSHOT, AFTER", "SELECT, AFTER", "EXPORT, AFTER", "PUT, AFTER", "MANIFEST_PUT, AFTER", "MARK, BEFORE"
    })
    void rowsWrittenBetweenSnapshotAndMarkStayDirty(Effect effect, When when) throws SQLException {
        FlushReport report = flush.run(config, once(effect, when, this::writeInEveryWay));

        assertThat(outcome(report).markedRows()).isEqualTo(ROWS - exportedAndTouched());
        assertNextPassExportsExactlyTheTouchedRows();
    }

    @ParameterizedTest
    @CsvSource({"SNAPSHOT, BEFORE", "EXPORT, BEFORE", "MARK, BEFORE"})
    void rowsThatATransactionHoldsDuringTheMarkStayDirtyAndNobodyWaits(Effect effect, When when) throws SQLException {
        FlushReport report = flush.run(config, once(effect, when, this::writeInEveryWayWithoutRecreation));

        assertThat(outcome(report).outcome()).isEqualTo(Outcome.FLUSHED);
        assertThat(outcome(report).markedRows()).isEqualTo(ROWS - exportedAndTouched());
        writer.commit();
        assertNextPassExportsExactlyTheTouchedRows();
    }

    @Test
    void rowsOfATransactionThatRollsBackAfterTheMarkAreLeftToTheNextPass() throws SQLException {
        FlushReport report = flush.run(config, once(Effect.MARK, When.BEFORE, this::writeInEveryWayWithoutRecreation));

        assertThat(outcome(report).markedRows()).isEqualTo(ROWS - exportedAndTouched());
        writer.rollback();
        for (int i = 0; i < 3; i++) {
            touched.remove(entities.id(ROWS + 1 + i));
        }
        assertNextPassExportsExactlyTheTouchedRows();
    }

    @Test
    void slotWrittenAnewWithTheExportedVersionStaysDirty() throws SQLException {
        UUID rewritten = entities.id(1);
        UUID replaced = entities.id(2);
        FlushReport report = flush.run(config, once(Effect.EXPORT, When.AFTER, () -> {
            entities.update(writer, rewritten, Entities.FIRST_VERSION + 1);
            writer.commit();
            host.sql("DELETE FROM change_log WHERE row_id = '" + replaced + "'");
            host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (" + entities.schemaId + ", '"
                    + replaced + "', " + (Entities.FIRST_VERSION + 2) + ")");
            touched.addAll(Set.of(rewritten, replaced));
        }));

        assertThat(outcome(report).markedRows()).isEqualTo(ROWS - 2);
        assertNextPassExportsExactlyTheTouchedRows();
    }

    @Test
    void slotDeletedBeforeTheMarkIsNotBroughtBack() throws SQLException {
        FlushReport report = flush.run(
                config,
                once(
                        Effect.EXPORT,
                        When.AFTER,
                        () -> host.sql("DELETE FROM change_log WHERE row_id = '" + entities.id(1) + "'")));

        assertThat(outcome(report).markedRows()).isEqualTo(ROWS - 1);
        entities.assertLakeEqualsPostgres(config);
    }

    @ParameterizedTest
    @CsvSource({"SNAPSHOT, BEFORE", "SNAPSHOT, AFTER", "EXPORT, AFTER", "MANIFEST_PUT, BEFORE"})
    void flushThatWasOvertakenGivesItsChunkUp(Effect effect, When when) throws SQLException {
        UUID deleted = entities.id(1);
        FlushReport overtaken = flush.run(config, once(effect, when, () -> {
            killLockSession();
            entities.delete(writer, deleted, NOW_MILLIS);
            writer.commit();
            assertThat(host.flush(Entities.REGISTRY)
                            .schema(entities.schemaId)
                            .orElseThrow()
                            .outcome())
                    .isEqualTo(Outcome.FLUSHED);
            // What the other flush marked is dirty anew, so that there is something to give up and to repeat.
            entities.update(writer, entities.id(2), NOW_MILLIS + 1);
            writer.commit();
        }));

        assertThat(outcome(overtaken).outcome()).isEqualTo(Outcome.FENCED);
        assertThat(entities.dirty()).containsExactly(entities.id(2));
        assertThat(host.listedKeys(entities.schemaId)).hasSize(1);
        assertThat(host.dataKeys())
                .filteredOn(key -> key.contains("/delta/" + entities.schemaId + "/"))
                .isEqualTo(host.listedKeys(entities.schemaId));
        touched.add(entities.id(2));
        assertNextPassExportsExactlyTheTouchedRows();
    }

    private interface Writes {
        void write() throws SQLException;
    }

    private static Step once(Effect effect, When when, Writes writes) {
        return point -> {
            if (point.equals(new Point(effect, 1, when))) {
                writes.write();
            }
        };
    }

    /** An update, a deletion, a re-creation and an insertion, each with the writer's clock behind, equal and ahead. */
    private void writeInEveryWay() throws SQLException {
        writeInEveryWayWithoutRecreation();
        writer.commit();
        for (int i = 0; i < 3; i++) {
            entities.recreate(writer, touch(7 + i), version(i) + 1);
            writer.commit();
        }
    }

    private void writeInEveryWayWithoutRecreation() throws SQLException {
        for (int i = 0; i < 3; i++) {
            entities.update(writer, touch(1 + i), version(i));
            entities.delete(writer, touch(4 + i), version(i));
            entities.insert(writer, touch(ROWS + 1 + i), version(i));
        }
    }

    private static long version(int clock) {
        return switch (clock) {
            case 0 -> Entities.FIRST_VERSION + ROWS + 1;
            case 1 -> NOW_MILLIS;
            default -> NOW_MILLIS + 3_600_000;
        };
    }

    private UUID touch(int n) {
        touched.add(entities.id(n));
        return entities.id(n);
    }

    private long exportedAndTouched() {
        Set<UUID> exported = new TreeSet<>();
        for (int n = 1; n <= ROWS; n++) {
            exported.add(entities.id(n));
        }
        exported.retainAll(touched);
        return exported.size();
    }

    private void killLockSession() throws SQLException {
        host.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = "
                + entities.schemaId);
    }

    private SchemaFlush outcome(FlushReport report) {
        return report.schema(entities.schemaId).orElseThrow();
    }

    private void assertNextPassExportsExactlyTheTouchedRows() throws SQLException {
        assertThat(entities.dirty()).isEqualTo(touched);
        entities.assertViewEqualsPostgres(config);

        SchemaFlush next = outcome(flush.run(config, point -> {}));
        assertThat(next.rows()).isEqualTo(touched.size());
        assertThat(next.markedRows()).isEqualTo(touched.size());
        entities.assertLakeEqualsPostgres(config);
    }
}
