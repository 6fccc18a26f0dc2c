package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.core.ValueType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportSqlTest {
    private static final TableCatalog TABLES = new TableCatalog(
            TableName.parse("entity_main"),
            Map.of("text_01", PgType.TEXT, "uuid_01", PgType.UUID),
            Map.of("value_numeric", PgType.NUMERIC));

    private static ExportSql sql(Attribute... attributes) {
        return new ExportSql(
                7,
                Projection.of(TABLES, new SchemaAttributes("s", List.of(attributes))),
                CdcConfig.builder().build().withDefaults());
    }

    private static String copy(ExportSql sql) {
        return sql.copyTo(Path.of("/spill/it's.parquet"), 1, 2);
    }

    @Test
    void namesAndPathsAreQuoted() {
        ExportSql sql = sql(
                Attribute.bound("say \"hi\"; DROP TABLE x --", 1, ValueType.TEXT, "text_01"),
                Attribute.eav("größe'😀", 2, ValueType.TEXT));
        assertThat(copy(sql))
                .contains("TO '/spill/it''s.parquet'")
                .contains("h.c7 AS \"say_\"\"hi\"\";_DROP_TABLE_x_--\"")
                .contains("h.c8 AS \"größe'😀\"")
                .contains("\"say_\"\"hi\"\";_DROP_TABLE_x_--\": 101, \"größe'😀\": 102}");
    }

    @Test
    void columnsAreListedInTheOrderOfTheFile() {
        ExportSql sql = sql(
                Attribute.eav("a", 1, ValueType.SMALLINT),
                Attribute.list("b", 2, ValueType.BOOL),
                Attribute.bound("c", 3, ValueType.UUID, "uuid_01"),
                Attribute.bound("d", 4, ValueType.DATE, "text_01"));
        assertThat(sql.columns().entrySet())
                .extracting(e -> e.getKey() + " " + e.getValue())
                .containsExactly(
                        "schema_id SMALLINT",
                        "row_id UUID",
                        "changed_at BIGINT",
                        "deleted_at BIGINT",
                        "ltbase_created_at BIGINT",
                        "ltbase_updated_at BIGINT",
                        "ltbase_deleted_at BIGINT",
                        "c UUID",
                        "d BIGINT",
                        "a DOUBLE",
                        "b BOOLEAN[]");
    }

    @Test
    void systemColumnsHaveFieldIds1To7AndListItemsHaveTheirOwn() {
        assertThat(copy(sql(Attribute.list("tags", 1, ValueType.TEXT))))
                .contains("FIELD_IDS {schema_id: 1, row_id: 2, changed_at: 3, deleted_at: 4, ltbase_created_at: 5,"
                        + " ltbase_updated_at: 6, ltbase_deleted_at: 7,"
                        + " \"tags\": {__duckdb_field_id: 101, element: 40001}}");
    }

    @Test
    void eavDataIsNotReadForHotColumnsAlone() {
        assertThat(copy(sql(Attribute.bound("c", 3, ValueType.UUID, "uuid_01"))))
                .contains("postgres_copy(1)")
                .doesNotContain("postgres_copy(2)");
    }

    @ParameterizedTest
    @CsvSource({"zstd, 'ZSTD, COMPRESSION_LEVEL 3,'", "Snappy, 'SNAPPY,'", "uncompressed, 'UNCOMPRESSED,'"})
    void aLevelIsGivenToTheCodecThatHasLevels(String codec, String expected) {
        CdcConfig config = CdcConfig.builder().parquetCompression(codec).build().withDefaults();
        ExportSql sql = new ExportSql(7, Projection.of(TABLES, null), config);
        assertThat(copy(sql))
                .contains("(FORMAT PARQUET, PARQUET_VERSION V2, COMPRESSION " + expected
                        + " ROW_GROUP_SIZE_BYTES '64MB'");
    }

    @Test
    void literalsDoubleQuotes() {
        assertThat(ExportSql.literal("a'b\\")).isEqualTo("'a''b\\'");
    }
}
