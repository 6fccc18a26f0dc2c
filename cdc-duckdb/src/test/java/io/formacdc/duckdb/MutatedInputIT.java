package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.core.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files with broken bytes, and names and values that look like SQL: a clear error, or a right result. */
@Timeout(180)
final class MutatedInputIT {
    /** Each is a table, an attribute and a value. */
    private static final List<String> HOSTILE = List.of(
            "'; DROP TABLE change_log; --",
            "\"; DROP TABLE change_log; --",
            "a\"b''c",
            "$$; SELECT pg_sleep(9); $$",
            "{'x': 1}",
            "]} | \\",
            "\uD83D\uDE00 \u202E",
            "SELECT",
            "%s %n ${x}",
            "x' || (SELECT current_user) || '");

    @TempDir
    private Path spill;

    /** The footer is whole, and so is every other file. */
    @Test
    void anUnreadablePageIsNamedByTheKeyOfItsObject() throws SQLException, IOException {
        try (TestMerge test = new TestMerge(TestMerge.config(spill).build())) {
            test.loose("data/7/one.parquet", "1, 5, 0, 'a'");
            Source broken = source(test, "data/7/broken.parquet");
            String page = TestHost.column(
                            test.duckDb,
                            "SELECT data_page_offset FROM parquet_metadata("
                                    + ExportSql.literal(broken.path().toString()) + ") WHERE path_in_schema = 'v'")
                    .get(0);
            int offset = Integer.parseInt(String.valueOf(page));
            byte[] bytes = Files.readAllBytes(broken.path());
            Arrays.fill(bytes, offset, offset + 40, (byte) 0xAB);
            Files.write(broken.path(), bytes);
            test.merge.addLoose(broken);
            test.loose("data/7/three.parquet", "3, 5, 0, 'c'");

            assertThatThrownBy(() -> test.merge.writeBase(RowIdInterval.ALL, List.of(), 1, rows -> {}))
                    .isInstanceOf(CdcException.class)
                    .hasMessageStartingWith(
                            "schema 7: data/7/broken.parquet cannot be merged, its rows cannot be read: ")
                    .message()
                    .hasLineCount(1)
                    .doesNotContain(spill.toString());
            assertThatThrownBy(() ->
                            test.merge.writeDelta(Set.of("data/7/one.parquet", "data/7/broken.parquet"), List.of(), 1))
                    .hasMessageStartingWith("schema 7: data/7/broken.parquet cannot be merged");
            assertThat(test.merge.writeDelta(Set.of("data/7/one.parquet", "data/7/three.parquet"), List.of(), 1))
                    .as("what is whole can still be merged")
                    .hasSize(1);
        }
        assertThat(spill).isEmptyDirectory();
    }

    private static Source source(TestMerge test, String key) throws SQLException {
        return test.query(
                key,
                "SELECT " + TestMerge.SYSTEM + ", 'text ' || n AS v FROM (SELECT i AS n, 5 + i AS changed_at, 0 AS"
                        + " deleted_at FROM range(500) r(i))",
                "");
    }

    @Test
    void namesAndValuesThatLookLikeSqlAreNamesAndValues() throws SQLException {
        for (int i = 0; i < HOSTILE.size(); i++) {
            String text = HOSTILE.get(i);
            try (TestHost host = new TestHost()) {
                String log = TableName.quote(text);
                String main = TableName.quote("m" + text);
                String eav = TableName.quote("e" + text);
                host.sql("ALTER TABLE change_log RENAME TO " + log);
                host.sql("ALTER TABLE entity_main RENAME TO " + main);
                host.sql("ALTER TABLE eav_data RENAME TO " + eav);
                UUID row = new UUID(1, i);
                host.sql("INSERT INTO " + main + " (ltbase_schema_id, ltbase_row_id, text_01, ltbase_created_at,"
                        + " ltbase_updated_at) VALUES (7, '" + row + "', " + ExportSql.literal(text) + ", 1, 5)");
                host.sql("INSERT INTO " + eav + " VALUES (7, '" + row + "', 2, '', " + ExportSql.literal(text)
                        + ", NULL)");
                host.sql("INSERT INTO " + log + " (schema_id, row_id, changed_at) VALUES (7, '" + row + "', 5)");
                CdcConfig config = host.config()
                        .changeLogTable(log)
                        .entityMainTable(main)
                        .eavDataTable(eav)
                        .spillDirectory(spill.toString())
                        .build();
                SchemaAttributes attributes = new SchemaAttributes(
                        text,
                        List.of(
                                Attribute.bound("h" + text, 1, ValueType.TEXT, "text_01"),
                                Attribute.eav("e" + text, 2, ValueType.TEXT)));

                Cdc.runOnce(config, host.client, false, TestHost.registry(7, attributes));

                try (Lake lake = Lake.open(config, host.client, 7)) {
                    assertThat(TestHost.rows(
                                    lake.connection(),
                                    "SELECT * EXCLUDE (schema_id, row_id, changed_at, deleted_at,"
                                            + " ltbase_created_at, ltbase_updated_at, ltbase_deleted_at) FROM"
                                            + " lake"))
                            .as(text)
                            .containsExactly(List.of(text, text));
                }
                assertThat(host.count("SELECT count(*) FROM " + log)).isEqualTo(1);
            }
        }
        assertThat(spill).isEmptyDirectory();
    }
}
