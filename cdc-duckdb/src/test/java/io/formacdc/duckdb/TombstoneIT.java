package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tombstone never resurrects: every interleaving of what a writer can do to a row with flushes, compactions that
 * rewrite the base tier, and compactions that only consolidate deltas. What is done to files is done to all rows at once,
 * so that the rows of one lake stand for every way in which their writer can have come in between.
 */
class TombstoneIT {
    private static final int SCHEMA = 7;
    private static final int STEPS = 4;
    private static final int ROWS = 256; // four actions in each of four gaps

    /** What is done to files. */
    private enum Step {
        FLUSH,
        COMPACT,
        CONSOLIDATE
    }

    @TempDir
    Path spill;

    @Test
    void everyInterleavingShowsWhatPostgresHolds() throws SQLException {
        int interleavings = 0;
        for (List<Step> steps : sequences(STEPS)) {
            try (TestHost host = new TestHost()) {
                run(host, steps);
                interleavings += ROWS;
            }
        }
        System.out.println(interleavings + " interleavings of a writer with flushes and compactions");
    }

    private void run(TestHost host, List<Step> steps) throws SQLException {
        Entities entities = new Entities(host, SCHEMA).insertMany(ROWS);
        host.sql("CREATE TABLE writer AS SELECT n, md5('7-' || n)::uuid AS row_id FROM generate_series(1, " + ROWS
                + ") n");
        CdcConfig config = host.config().spillDirectory(spill.toString()).build();
        Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
        Cdc.compact(config, compaction(1), host.client);
        for (int gap = 0; gap < STEPS; gap++) {
            write(host, gap);
            switch (steps.get(gap)) {
                case FLUSH -> Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
                case COMPACT -> Cdc.compact(config, compaction(1), host.client);
                case CONSOLIDATE -> Cdc.compact(config, compaction(100), host.client);
            }
            entities.assertViewEqualsPostgres(config);
        }
        Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
        entities.assertLakeEqualsPostgres(config);
        Cdc.compact(config, compaction(1), host.client);
        entities.assertLakeEqualsPostgres(config);
    }

    private static CompactionConfig compaction(int dirtyRatioPct) {
        CompactionConfigBuilder builder = CompactionConfig.builder().schemaId(SCHEMA);
        return builder.dirtyRatioPct(dirtyRatioPct).build();
    }

    /**
     * The digit of a row's number at the gap says what its writer does: nothing, an update, a deletion, or a creation
     * (after a deletion, if the entity is there).
     */
    private static void write(TestHost host, int gap) throws SQLException {
        String digit = "((w.n - 1) / " + (1 << (2 * gap)) + " % 4)";
        long version = Entities.FIRST_VERSION + 1_000_000L * (gap + 1);
        host.sql("BEGIN");
        host.sql(
                "UPDATE entity_main m SET text_01 = 't' || %1$d, bigint_01 = %1$d, ltbase_updated_at = %1$d FROM writer w WHERE w.row_id = m.ltbase_row_id AND %2$s = 1"
                        .formatted(version, digit));
        host.sql(
                "UPDATE eav_data e SET value_text = CASE attr_id WHEN 3 THEN 't' || %1$d END, value_numeric = CASE attr_id WHEN 4 THEN %1$d END FROM writer w WHERE w.row_id = e.row_id AND %2$s = 1"
                        .formatted(version, digit));
        String slot =
                "INSERT INTO change_log (schema_id, row_id, changed_at, deleted_at) SELECT 7, w.row_id, %s, %s FROM writer w %s"
                        + " ON CONFLICT (schema_id, row_id, flushed_at) DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at";
        String entity = "JOIN entity_main m ON m.ltbase_row_id = w.row_id WHERE " + digit;
        host.sql(slot.formatted(version, "NULL", entity + " = 1"));
        host.sql(slot.formatted(version, version, entity + " >= 2"));
        host.sql("DELETE FROM eav_data e USING writer w WHERE w.row_id = e.row_id AND " + digit + " >= 2");
        host.sql("DELETE FROM entity_main m USING writer w WHERE w.row_id = m.ltbase_row_id AND " + digit + " >= 2");
        long later = version + 1;
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, bigint_01, ltbase_created_at, ltbase_updated_at) SELECT 7, w.row_id, 't' || %1$d, %1$d, 1, %1$d FROM writer w WHERE %2$s = 3"
                        .formatted(later, digit));
        host.sql(
                "INSERT INTO eav_data (schema_id, row_id, attr_id, value_text) SELECT 7, w.row_id, 3, 't' || %d FROM writer w WHERE %s = 3"
                        .formatted(later, digit));
        host.sql(slot.formatted(later, "NULL", "WHERE " + digit + " = 3"));
        host.sql("COMMIT");
    }

    private static List<List<Step>> sequences(int length) {
        if (length == 0) {
            return List.of(List.of());
        }
        List<List<Step>> all = new ArrayList<>();
        for (List<Step> rest : sequences(length - 1)) {
            for (Step step : Step.values()) {
                List<Step> sequence = new ArrayList<>(rest);
                sequence.add(step);
                all.add(sequence);
            }
        }
        return all;
    }
}
