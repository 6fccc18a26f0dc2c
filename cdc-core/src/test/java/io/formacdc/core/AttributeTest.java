package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttributeTest {
    @ParameterizedTest
    @CsvSource({
        "name, name",
        "address.city, address_city",
        "tags[0].label, tags0_label",
        "with space, with_space",
        "back`tick, backtick",
        "Größe, Größe",
        "dash-ed, dash-ed",
        "[]`, attr",
        "'', attr",
        "., _",
    })
    void columnNamesAreFolded(String name, String column) {
        assertThat(Attribute.eav(name, 1, ValueType.TEXT).columnName()).isEqualTo(column);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32_768})
    void idsOutOfRangeAreRefused(int id) {
        assertThatThrownBy(() -> Attribute.eav("a", id, ValueType.TEXT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("attribute \"a\" has id " + id + ", must be 1 to 32767");
    }

    @Test
    void whatIsMissingIsNamed() {
        assertThatThrownBy(() -> Attribute.eav(nothing(), 1, ValueType.TEXT)).hasMessage("name");
        assertThatThrownBy(() -> Attribute.eav("a", 1, nothing())).hasMessage("type");
        assertThatThrownBy(() -> Attribute.bound("a", 1, ValueType.TEXT, nothing()))
                .hasMessage("columnName");
        assertThatThrownBy(() -> new SchemaAttributes(nothing(), List.of())).hasMessage("schemaName");
    }

    @Test
    void aNameWithANulIsRefused() {
        assertThatThrownBy(() -> Attribute.eav("a\0b", 1, ValueType.TEXT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("attribute \"a\\0b\" has a NUL in its name, which no column can have");
    }

    @Test
    void aListWithoutAnItemTypeHoldsText() {
        assertThat(new Attribute("a", 1, ValueType.LIST, null, null, false).itemType())
                .isEqualTo(ValueType.TEXT);
        assertThat(Attribute.list("a", 1, ValueType.BIGINT).itemType()).isEqualTo(ValueType.BIGINT);
    }

    @Test
    void listsOfListsBoundListsAndScalarsWithItemsAreRefused() {
        ColumnBinding binding = new ColumnBinding("text_01", ColumnEncoding.DEFAULT);
        assertThatThrownBy(() -> Attribute.list("a", 1, ValueType.LIST)).hasMessageContaining("cannot hold lists");
        assertThatThrownBy(() -> new Attribute("a", 1, ValueType.LIST, null, binding, false))
                .hasMessageContaining("cannot be bound");
        assertThatThrownBy(() -> new Attribute("a", 1, ValueType.TEXT, ValueType.TEXT, null, false))
                .hasMessageContaining("is no list");
        assertThatThrownBy(() -> new ColumnBinding(" ", ColumnEncoding.DEFAULT))
                .hasMessageContaining("needs a column name");
    }

    @Test
    void theHotColumnIsThereWhereOneIsBound() {
        assertThat(Attribute.bound("a", 1, ValueType.TEXT, "text_01").hotColumn())
                .contains(new ColumnBinding("text_01", ColumnEncoding.DEFAULT));
        assertThat(Attribute.eav("a", 1, ValueType.TEXT).hotColumn()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"text, TEXT", "BigInt, BIGINT", "datetime, DATETIME", "list, LIST", "geometry, UNKNOWN", "'', UNKNOWN"})
    void typesAreReadInAnyCaseAndTheRestIsUnknown(String name, ValueType type) {
        assertThat(ValueType.parse(name)).isEqualTo(type);
    }

    @ParameterizedTest
    @CsvSource({
        "'', DEFAULT",
        "default, DEFAULT",
        "bool_smallint, BOOL_SMALLINT",
        "bool_text, BOOL_TEXT",
        "unix_ms, UNIX_MS",
        "iso8601, ISO8601"
    })
    void encodingsAreReadByTheirNames(String name, ColumnEncoding encoding) {
        assertThat(ColumnEncoding.parse(name)).isEqualTo(encoding);
        assertThat(ColumnEncoding.parse(encoding.toString())).isEqualTo(encoding);
    }

    @Test
    void anUnknownEncodingIsRefusedWithThoseThatAreKnown() {
        assertThatThrownBy(() -> ColumnEncoding.parse("rot13"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"rot13\"")
                .hasMessageContaining("default, bool_smallint, bool_text, unix_ms and iso8601");
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    private static <T> T nothing() {
        return null;
    }
}
