package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many entities, of which some are dirty: the values of their attributes, and what the reading costs the server. */
class EavReadIT {
    /** More than DuckDB takes at once. */
    private static final int DIRTY = 3_000;

    private static final RowIdInterval ALL = RowIdInterval.ALL;
    private static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "things",
            List.of(
                    Attribute.eav("note", 1, ValueType.TEXT),
                    Attribute.eav("amount", 2, ValueType.NUMERIC),
                    Attribute.eav("flag", 3, ValueType.BOOL),
                    Attribute.eav("label", 400, ValueType.TEXT)));
    private static final SchemaAttributes LISTS =
            new SchemaAttributes("things", List.of(Attribute.list("notes", 1, ValueType.TEXT)));
    private static final String ROW_ID = "('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid";

    private TestHost host;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    /**
     * Entities 1 to {@code entities}, their attributes in no order, of which the first {@code DIRTY} numbers that a step
     * reaches are dirty. Every seventh label is a number, so no text, whether dirty or not; every eleventh amount and every
     * third flag is missing. Of notes and amounts there are two, of which now the first is the greater, now the second.
     */
    private void fill(int entities, int step) throws SQLException {
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at)"
                + " SELECT 1, " + ROW_ID + ", 1, 1 FROM generate_series(1, " + entities + ") n");
        host.sql("INSERT INTO eav_data (schema_id, row_id, attr_id, array_indices, value_text, value_numeric)"
                + " SELECT 1, " + ROW_ID
                + ", a, i, CASE WHEN a = 1 THEN 'note ' || g || ' of ' || n WHEN a = 400 AND n % 7 > 0 THEN 'label ' || n END,"
                + " CASE WHEN a = 400 AND n % 7 = 0 THEN n WHEN a = 3 THEN n % 2 WHEN a = 2 THEN n + g END"
                + " FROM generate_series(1, " + entities
                + ") n, unnest(ARRAY[1, 2, 3, 400]) a, unnest(ARRAY['', '7']) i,"
                + " LATERAL (SELECT CASE WHEN (i = '') = (n / 10 % 2 = 0) THEN 1 ELSE 2 END AS g) greater"
                + " WHERE (a < 3 OR i = '') AND NOT (a = 2 AND n % 11 = 0) AND NOT (a = 3 AND n % 3 = 0)"
                + " ORDER BY md5(n::text || a || i)");
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT 1, " + ROW_ID + ", 1"
                + " FROM generate_series(" + step + ", " + DIRTY * step + ", " + step + ") n");
    }

    private void assertThatTheFileEqualsTheTables() throws SQLException {
        SchemaFlush flush =
                host.flush(TestHost.registry(1, ATTRIBUTES)).schema(1).orElseThrow();
        assertThat(flush.rows()).isEqualTo(DIRTY);
        String expected = "SELECT l.row_id::text, max(value_text) FILTER (WHERE attr_id = 1),"
                + " max(value_numeric) FILTER (WHERE attr_id = 2)::int, max(value_numeric) FILTER (WHERE attr_id = 3)::int,"
                + " max(value_text) FILTER (WHERE attr_id = 400)"
                + " FROM change_log l JOIN eav_data e USING (schema_id, row_id) GROUP BY 1 ORDER BY 1";
        try (Lake lake = Lake.open(host.config().build(), host.client, 1)) {
            assertThat(TestHost.rows(
                            lake.connection(),
                            "SELECT row_id, note, amount::INT, flag::INT, label FROM lake ORDER BY row_id"))
                    .isEqualTo(TestHost.rows(host.connection, expected));
        }
        long lossy = Long.parseLong(TestHost.column(
                        host.connection,
                        "SELECT count(*) FROM change_log JOIN eav_data USING (schema_id, row_id)"
                                + " WHERE attr_id = 400 AND value_text IS NULL")
                .get(0));
        assertThat(lossy).isPositive();
        assertThat(flush.lossyCasts()).isEqualTo(Map.of("label", lossy));
    }

    @Test
    void ofEntitiesThatAreMostlyDirty() throws SQLException {
        fill(2 * DIRTY, 2);
        assertThatTheFileEqualsTheTables();
    }

    @Test
    void ofEntitiesThatAreHardlyDirty() throws SQLException {
        fill(5 * DIRTY, 5);
        assertThatTheFileEqualsTheTables();
    }

    @Test
    void listsOfEntitiesThatAreMostlyDirty() throws SQLException {
        fill(2 * DIRTY, 2);
        assertThatListsEqualTheTables();
    }

    @Test
    void listsOfEntitiesThatAreHardlyDirty() throws SQLException {
        fill(5 * DIRTY, 5);
        assertThatListsEqualTheTables();
    }

    private void assertThatListsEqualTheTables() throws SQLException {
        host.flush(TestHost.registry(1, LISTS));
        String expected = "SELECT l.row_id::text, string_agg(value_text, ',' ORDER BY array_indices)"
                + " FROM change_log l JOIN eav_data e USING (schema_id, row_id) WHERE attr_id = 1 GROUP BY 1 ORDER BY 1";
        try (Lake lake = Lake.open(host.config().build(), host.client, 1)) {
            assertThat(TestHost.rows(
                            lake.connection(), "SELECT row_id, array_to_string(notes, ',') FROM lake ORDER BY row_id"))
                    .isEqualTo(TestHost.rows(host.connection, expected));
        }
    }

    @Test
    void aLogWithoutItsPrimaryKeyIsNamedBeforeAnythingIsListed() throws SQLException {
        fill(DIRTY, 1);
        host.sql("ALTER TABLE change_log DROP CONSTRAINT change_log_pkey");
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT schema_id, row_id, 2 FROM change_log"
                + " ORDER BY row_id LIMIT 1");
        assertThatThrownBy(() -> host.flush(TestHost.registry(1, ATTRIBUTES)))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("00000000-0000-0000-0000-000000000001 comes twice")
                .hasMessageContaining("primary key");
    }

    @Test
    void aRangeThatIsMostlyDirtyIsReadInOneGo() throws SQLException {
        fill(2 * DIRTY, 2);
        // One for the keys of what is dirty, one for the number of entities, one for these, one for their attributes.
        assertThat(indexScans(ALL, DIRTY, ATTRIBUTES)).isEqualTo(4);
    }

    @Test
    void withListsTheKeysAndTheNumberAreAskedForTwice() throws SQLException {
        fill(2 * DIRTY, 2);
        assertThat(indexScans(ALL, DIRTY, LISTS)).isEqualTo(6);
    }

    @Test
    void whatLiesOutsideOfTheDirtyRowsDoesNotCount() throws SQLException {
        fill(9 * DIRTY, 1);
        assertThat(indexScans(ALL, DIRTY, ATTRIBUTES)).isEqualTo(4);
    }

    @Test
    void ofARangeThatIsHardlyDirtyEachEntityIsLookedUp() throws SQLException {
        fill(5 * DIRTY, 5);
        // The keys are read once to decide, then with the entities, and with the attributes.
        assertThat(indexScans(ALL, DIRTY, ATTRIBUTES)).isEqualTo(4 + 2 * DIRTY);
    }

    @Test
    void ofFewRowsEachIsLookedUpAtOnce() throws SQLException {
        fill(DIRTY, 1);
        UUID last = new UUID(0, 100);
        assertThat(indexScans(new RowIdInterval(null, last), 100, ATTRIBUTES)).isEqualTo(2 * (1 + 100));
    }

    private long indexScans(RowIdInterval range, int rowsOfTheRange, SchemaAttributes attributes) throws SQLException {
        CdcConfig config = host.config().build().withDefaults();
        ExportedRows rows = new ExportedRows(PgQueries.ofDirtyRows(config, 1), null, List.of(range), rowsOfTheRange);
        IndexScans scans = IndexScans.of(host, config, rows, attributes);
        assertThat(scans.rows()).isEqualTo(rowsOfTheRange);
        return scans.scans();
    }
}
