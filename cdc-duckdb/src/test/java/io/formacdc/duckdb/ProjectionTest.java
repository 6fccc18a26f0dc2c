package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcException;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.core.ValueType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProjectionTest {
    private static final TableName MAIN = TableName.parse("shop.things");
    private static final Map<String, PgType> EAV = Map.of("value_numeric", PgType.FLOAT8);

    private static Projection of(Map<String, PgType> hotColumns, Attribute... attributes) {
        return Projection.of(
                new TableCatalog(MAIN, hotColumns, EAV), new SchemaAttributes("shop", List.of(attributes)));
    }

    private static Attribute encoded(String name, ValueType type, String column, ColumnEncoding encoding) {
        return new Attribute(name, 1, type, null, new ColumnBinding(column, encoding), false);
    }

    @Test
    void boundAttributesComeFirstAndBothKindsInTheByteOrderOfNames() {
        Projection projection = of(
                Map.of("text_01", PgType.TEXT),
                Attribute.bound("b", 1, ValueType.TEXT, "text_01"),
                Attribute.bound("Z", 2, ValueType.TEXT, "text_01"),
                Attribute.bound("\uD83D\uDE00", 3, ValueType.TEXT, "text_01"),
                Attribute.bound("\uFFFD", 4, ValueType.TEXT, "text_01"),
                Attribute.eav("y", 5, ValueType.TEXT),
                Attribute.eav("a", 6, ValueType.TEXT));
        assertThat(projection.hot()).extracting(HotColumn::target).containsExactly("Z", "b", "\uFFFD", "\uD83D\uDE00");
        assertThat(projection.eav()).extracting(EavAttribute::target).containsExactly("a", "y");
    }

    @Test
    void fieldIdsFollowTheAttributeIdAndNotTheName() {
        Projection projection =
                of(Map.of("text_01", PgType.TEXT), Attribute.bound("renamed", 32767, ValueType.TEXT, "text_01"));
        assertThat(projection.hot()).extracting(HotColumn::fieldId).containsExactly(32867);
    }

    @Test
    void namesAreFoldedForTheFileAndKeptForMessages() {
        Projection projection = of(
                Map.of("text_01", PgType.TEXT),
                Attribute.bound("a.b [c]", 1, ValueType.TEXT, "text_01"),
                Attribute.list("x y", 2, ValueType.BIGINT));
        assertThat(projection.hot().get(0).target()).isEqualTo("a_b_c");
        assertThat(projection.hot().get(0).name()).isEqualTo("a.b [c]");
        assertThat(projection.eav()).containsExactly(new EavAttribute(2, "x y", "x_y", LakeType.BIGINT, true));
        assertThat(projection.hasLists()).isTrue();
    }

    @Test
    void retiredAttributesAreLeftOut() {
        Projection projection = of(
                Map.of(),
                new Attribute("old", 1, ValueType.TEXT, null, null, true),
                Attribute.eav("new", 2, ValueType.TEXT));
        assertThat(projection.eav()).extracting(EavAttribute::target).containsExactly("new");
    }

    @ParameterizedTest
    @CsvSource({
        "TEXT, VARCHAR, VARCHAR",
        "UNKNOWN, VARCHAR, VARCHAR",
        "SMALLINT, SMALLINT, DOUBLE",
        "INTEGER, INTEGER, DOUBLE",
        "BIGINT, BIGINT, BIGINT",
        "NUMERIC, DOUBLE, DOUBLE",
        "DATE, EPOCH_MILLIS, EPOCH_MILLIS",
        "DATETIME, EPOCH_MILLIS, EPOCH_MILLIS",
        "UUID, UUID, VARCHAR",
        "BOOL, BOOLEAN, BOOLEAN"
    })
    void typesAreThoseOfTheContract(ValueType type, LakeType bound, LakeType eav) {
        Projection projection = of(
                Map.of("text_01", PgType.TEXT),
                Attribute.bound("b", 1, type, "text_01"),
                Attribute.eav("e", 2, type),
                Attribute.list("l", 3, type));
        assertThat(projection.hot()).extracting(HotColumn::targetType).containsExactly(bound);
        assertThat(projection.eav()).extracting(EavAttribute::type).containsExactly(eav, eav);
        assertThat(projection.eav()).extracting(EavAttribute::isList).containsExactly(false, true);
    }

    @Test
    void aBindingToAMissingColumnIsRefused() {
        assertThatThrownBy(
                        () -> of(Map.of("text_01", PgType.TEXT), Attribute.bound("size", 1, ValueType.TEXT, "text_99")))
                .isInstanceOf(CdcException.class)
                .hasMessage("schema \"shop\": attribute \"size\" is bound to column text_99, which table"
                        + " \"shop\".\"things\" does not have");
    }

    @ParameterizedTest
    @CsvSource({
        "BOOL_SMALLINT, TEXT",
        "UNIX_MS, TEXT",
        "UNIX_MS, FLOAT8",
        "BOOL_TEXT, INT2",
        "ISO8601, INT8",
        "ISO8601, UUID"
    })
    void anEncodingThatDoesNotFitItsColumnIsRefused(ColumnEncoding encoding, PgType columnType) {
        assertThatThrownBy(() -> of(Map.of("c", columnType), encoded("flag", ValueType.BOOL, "c", encoding)))
                .isInstanceOf(CdcException.class)
                .hasMessage("schema \"shop\": attribute \"flag\" has encoding " + encoding
                        + ", but column c is of type " + columnType);
    }

    @ParameterizedTest
    @CsvSource({"UUID, INT8", "UUID, NUMERIC", "UUID, BOOL", "BIGINT, UUID", "DATE, UUID", "NUMERIC, UUID", "BOOL, UUID"
    })
    void aTypeOfWhichItsColumnCanHoldNoValueIsRefused(ValueType type, PgType columnType) {
        assertThatThrownBy(() -> of(Map.of("c", columnType), Attribute.bound("ref", 1, type, "c")))
                .isInstanceOf(CdcException.class)
                .hasMessage("schema \"shop\": attribute \"ref\" is " + type + ", of which column c of table"
                        + " \"shop\".\"things\" can hold no value, being of type " + columnType);
    }

    @ParameterizedTest
    @CsvSource({"UUID, UUID", "UUID, TEXT", "UUID, OTHER", "TEXT, UUID", "INTEGER, TEXT", "BOOL, FLOAT8"})
    void aTypeOfWhichItsColumnCanHoldSomeValueIsTaken(ValueType type, PgType columnType) {
        assertThat(of(Map.of("c", columnType), Attribute.bound("ref", 1, type, "c"))
                        .hot())
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "DEFAULT, NUMERIC",
        "BOOL_SMALLINT, INT2",
        "UNIX_MS, INT8",
        "BOOL_TEXT, TEXT",
        "BOOL_TEXT, OTHER",
        "ISO8601, TEXT",
        "ISO8601, OTHER"
    })
    void anEncodingThatFitsItsColumnIsTaken(ColumnEncoding encoding, PgType columnType) {
        assertThat(of(Map.of("c", columnType), encoded("flag", ValueType.BOOL, "c", encoding))
                        .hot())
                .hasSize(1);
    }

    @Test
    void withoutMetadataEveryHotColumnThatExistsKeepsItsNameAndItsFieldId() {
        Map<String, PgType> columns = new LinkedHashMap<>();
        columns.put("ltbase_row_id", PgType.UUID);
        columns.put("uuid_02", PgType.UUID);
        columns.put("numeric_01", PgType.NUMERIC);
        columns.put("bigint_01", PgType.INT8);
        columns.put("text_11", PgType.OTHER);
        columns.put("text_01", PgType.TEXT);
        columns.put("smallint_03", PgType.INT2);
        columns.put("note", PgType.TEXT);
        Projection projection = Projection.of(new TableCatalog(MAIN, columns, EAV), null);
        assertThat(projection.generic()).isTrue();
        assertThat(projection.readsEav()).isTrue();
        assertThat(projection.hot())
                .extracting(c -> c.fieldId() + " " + c.target() + " " + c.targetType())
                .containsExactly(
                        "10 text_01 VARCHAR",
                        "22 smallint_03 SMALLINT",
                        "26 bigint_01 BIGINT",
                        "37 uuid_02 UUID",
                        "38 text_11 VARCHAR");
    }

    @Test
    void withoutMetadataTheStandardColumnsHaveFieldIds10To37() {
        Map<String, PgType> columns = new LinkedHashMap<>();
        List.of("double_05", "uuid_01", "text_10", "smallint_01", "integer_01", "integer_03", "double_01", "bigint_05")
                .forEach(c -> columns.put(c, PgType.TEXT));
        assertThat(Projection.of(new TableCatalog(MAIN, columns, EAV), null).hot())
                .extracting(c -> c.target() + " " + c.fieldId())
                .containsExactly(
                        "text_10 19",
                        "smallint_01 20",
                        "integer_01 23",
                        "integer_03 25",
                        "bigint_05 30",
                        "double_01 31",
                        "double_05 35",
                        "uuid_01 36");
    }

    @Test
    void moreHotColumnsThanFieldIdsAreRefused() {
        Map<String, PgType> columns = new LinkedHashMap<>();
        for (int i = 11; i < 44; i++) {
            columns.put("text_" + i, PgType.TEXT);
        }
        assertThatThrownBy(() -> Projection.of(new TableCatalog(MAIN, columns, EAV), null))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("more hot columns than field ids are kept for (60)");
        columns.remove("text_43");
        assertThat(Projection.of(new TableCatalog(MAIN, columns, EAV), null).hot())
                .last()
                .extracting(HotColumn::fieldId)
                .isEqualTo(69);
    }
}
