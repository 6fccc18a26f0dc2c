package io.formacdc.duckdb;

import static io.formacdc.duckdb.TestMerge.id;
import static io.formacdc.duckdb.TestMerge.interval;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcException;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Source;
import io.formacdc.manifest.ColumnTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sources of a merge that differ in their columns, or are not what they should be. */
class MergeSourcesIT {
    @TempDir
    Path spill;

    private TestMerge test;

    @BeforeEach
    void open() throws SQLException {
        test = new TestMerge(TestMerge.config(spill).build());
    }

    @AfterEach
    void close() throws SQLException, IOException {
        test.close();
        try (Stream<Path> left = Files.list(spill)) {
            assertThat(left).isEmpty();
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("forma-cdc"));
    }

    @Test
    void aBaseRowOutsideTheIntervalIsRefusedBecauseItWouldBeLost() throws SQLException {
        Source base = test.file("data/b", "4, 1, 0, 'b'", "6, 1, 0, 'b'");
        assertThatThrownBy(() -> test.writeBase(interval(1L, 5L), 1, base))
                .isInstanceOf(CdcException.class)
                .hasMessageStartingWith("schema 7: 1 rows of data/b have row ids that are not after " + id(1));
    }

    @Test
    void columnsComeAndGoBetweenGenerations() throws SQLException {
        String from = " FROM (SELECT %d AS n, %d AS changed_at, 0 AS deleted_at)";
        Source base = test.query(
                "b",
                "SELECT " + TestMerge.SYSTEM + ", 'old' AS dropped, 7::SMALLINT AS wider, 'b' AS kept"
                        + from.formatted(1, 1),
                "");
        test.merge.addLoose(test.query(
                "d1",
                "SELECT " + TestMerge.SYSTEM + ", 'k1' AS kept, 1.5::DOUBLE AS wider, [1] AS added"
                        + from.formatted(2, 2),
                ""));
        test.merge.addLoose(test.query(
                "d2",
                "SELECT " + TestMerge.SYSTEM + ", 'k2' AS Kept, 8::BIGINT AS other, []::INTEGER[] AS added"
                        + from.formatted(3, 3),
                ""));
        LocalFile file = test.writeBase(base);
        assertThat(test.columns(file).keySet().stream().skip(7))
                .containsExactly("Kept", "other", "added", "wider", "dropped");
        assertThat(file.contents().columns()).isEqualTo(test.columns(file));
        assertThat(test.columns(file)).containsEntry("wider", "DOUBLE").containsEntry("other", "BIGINT");
        assertThat(test.rows("kept, other, added::VARCHAR, wider, dropped", file))
                .containsExactly(
                        Arrays.asList("b", null, null, "7.0", "old"),
                        Arrays.asList("k1", null, "[1]", "1.5", null),
                        Arrays.asList("k2", "8", "[]", null, null));
    }

    @Test
    void fieldIdsStayWithTheirNamesAndTheNewestSourceDecides() throws SQLException {
        String from = " FROM (SELECT %d AS n, %d AS changed_at, 0 AS deleted_at)";
        String attributes = "[{'attr_id': 3::SMALLINT, 'value_text': 'x'}] AS attributes";
        String system = "schema_id: 1, row_id: 2, changed_at: 3, deleted_at: 4, ltbase_created_at: 5";
        String nested =
                "attributes: {__duckdb_field_id: 90, element: {__duckdb_field_id: 91, attr_id: 92, value_text: 93}}";
        Source base = test.query(
                "b",
                "SELECT " + TestMerge.SYSTEM + ", 'o' AS old_name, 'x' AS swapped, [1] AS tags, 'u' AS unnamed, "
                        + attributes + from.formatted(1, 1),
                system + ", old_name: 105, swapped: 106, unnamed: 108, tags: {__duckdb_field_id: 107, element: 40007}, "
                        + nested);
        test.merge.addLoose(test.query(
                "d",
                "SELECT " + TestMerge.SYSTEM + ", 'n' AS new_name, 'x' AS swapped, [2.5] AS tags, 'u' AS unnamed, "
                        + attributes + from.formatted(2, 2),
                system + ", new_name: 105, swapped: 206, tags: {__duckdb_field_id: 107, element: 40007}, " + nested));
        LocalFile file = test.writeBase(base);
        assertThat(test.fieldIds(file))
                .containsExactly(
                        "schema_id 1",
                        "row_id 2",
                        "changed_at 3",
                        "deleted_at 4",
                        "ltbase_created_at 5",
                        "new_name 105",
                        "swapped 206",
                        "tags 107",
                        "unnamed 108",
                        "attributes 90",
                        "element 91",
                        "attr_id 92",
                        "value_text 93");
        assertThat(test.fieldIds(
                        test.merge.writeDelta(Set.of("d"), List.of(), 1).get(0)))
                .contains("tags 107", "element 40007");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'t' | VARCHAR | ['t'] | VARCHAR[]",
                "[1] | INTEGER[] | [[1]] | INTEGER[][]",
                "{'a': 1} | STRUCT(a INTEGER) | 1 | INTEGER",
            })
    void typesThatHaveNothingInCommonAreRefusedBeforeAnythingIsWritten(
            String one, String oneType, String other, String otherType) throws Exception {
        String file =
                "SELECT " + TestMerge.SYSTEM + ", %s AS tags FROM (SELECT 1 AS n, 1 AS changed_at, 0 AS deleted_at)";
        test.merge.addLoose(test.query("data/one", file.formatted(one), ""));
        Source source = test.query("data/other", file.formatted(other), "");
        String message = "schema 7: column \"tags\" is %s in %s, but %s in %s; " + ColumnTypes.CURE;
        assertThatThrownBy(() -> test.merge.addLoose(source))
                .isInstanceOf(CdcException.class)
                .hasMessage(message.formatted(otherType, "data/other", oneType, "data/one"));
        assertThatThrownBy(() -> test.writeBase(source))
                .isInstanceOf(CdcException.class)
                .hasMessage(message.formatted(oneType, "data/one", otherType, "data/other"));
        assertThat(test.written()).isEmpty();
    }

    @Test
    void aValueThatDoesNotFitTheUnitedTypeIsAnErrorThatNamesItsSource() throws Exception {
        String file =
                "SELECT " + TestMerge.SYSTEM + ", %s AS u FROM (SELECT %d AS n, 1 AS changed_at, 0 AS deleted_at)";
        test.merge.addLoose(test.query("data/texts", file.formatted("'no uuid'", 1), ""));
        Source base = test.query("data/ids", file.formatted("uuid()", 2), "");
        assertThatThrownBy(() -> test.writeBase(base))
                .isInstanceOf(CdcException.class)
                .hasMessageStartingWith("schema 7, merge of 1 base file: DuckDB failed: Conversion Error: ")
                .hasMessageContaining("newest rows of the deltas")
                .hasMessageNotContaining(spill.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "* EXCLUDE (row_id) | it has no column row_id, which every file of a flush has",
                "* EXCLUDE (ltbase_created_at) | it has no column ltbase_created_at, which every file of a flush has",
                "* REPLACE (schema_id::INTEGER AS schema_id) | its column schema_id is of type INTEGER instead of SMALLINT",
                "* REPLACE (row_id::VARCHAR AS row_id) | its column row_id is of type VARCHAR instead of UUID",
                "* REPLACE (0.5::DOUBLE AS deleted_at) | its column deleted_at is of type DOUBLE instead of BIGINT",
                "* REPLACE (now() AS changed_at) | its column changed_at is of type TIMESTAMP WITH TIME ZONE instead of BIGINT",
                "* REPLACE (8::SMALLINT AS schema_id) | 2 of its rows are of another schema",
                "* REPLACE (CASE v WHEN 'a' THEN 7 ELSE 8 END::SMALLINT AS schema_id) | 1 of its rows are of another schema",
                "* REPLACE (NULL::SMALLINT AS schema_id) | 2 of its rows are of another schema",
                "* REPLACE (NULL::UUID AS row_id) | 2 of its rows have no row_id or no changed_at",
                "* REPLACE (NULL::BIGINT AS changed_at) | 2 of its rows have no row_id or no changed_at",
                "*, 1 AS file_row_number | DuckDB needs the name of its column file_row_number for itself",
            })
    void aFileOfAnotherShapeIsRefused(String columns, String problem) throws SQLException {
        String rows = "SELECT " + TestMerge.SYSTEM + ", v FROM (VALUES (1, 1, 0, 'a'), (2, 1, 0, 'b'))"
                + " t(n, changed_at, deleted_at, v)";
        Source source = test.query("data/7/x.parquet", "SELECT " + columns + " FROM (" + rows + ")", "");
        assertThatThrownBy(() -> test.merge.check(source))
                .isInstanceOf(CdcException.class)
                .hasMessage("schema 7: data/7/x.parquet cannot be merged, " + problem);
        assertThatThrownBy(() -> test.merge.addLoose(source)).isInstanceOf(CdcException.class);
    }

    @Test
    void aFileThatIsNotWholeIsRefused() throws Exception {
        Source good = test.file("good", "1, 1, 0, 'a'", "2, 1, NULL, 'b'");
        assertThat(test.merge.check(good)).isEqualTo(2);
        assertThat(test.merge.check(test.file("empty"))).isZero();
        byte[] bytes = Files.readAllBytes(good.path());
        byte[] cut = Arrays.copyOf(bytes, bytes.length - 5);
        byte[] broken = bytes.clone();
        Arrays.fill(broken, bytes.length - 60, bytes.length - 8, (byte) 0xAB);
        for (byte[] content : List.of(cut, broken, new byte[0], "PAR1".getBytes(StandardCharsets.US_ASCII))) {
            Path path = Files.write(test.merge.folder().resolve("bad.parquet"), content);
            assertThatThrownBy(() -> test.merge.check(new Source("data/7/bad.parquet", path)))
                    .isInstanceOf(CdcException.class)
                    .hasMessageStartingWith("schema 7: data/7/bad.parquet cannot be merged, it is no Parquet file")
                    .message()
                    .hasLineCount(1)
                    .doesNotContain(spill.toString());
        }
        assertThatThrownBy(() ->
                        test.merge.check(new Source("gone", test.merge.folder().resolve("gone.parquet"))))
                .hasMessageStartingWith("schema 7: gone cannot be merged");
    }
}
