package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaAttributesTest {
    static final List<String> SYSTEM_COLUMNS = SchemaAttributes.SYSTEM_COLUMNS;

    @Test
    void attributesStandInTheByteOrderOfTheirNames() {
        // UTF-16 puts the surrogates of U+1F600 before U+FF5E; UTF-8 puts U+FF5E (EF) before U+1F600 (F0).
        assertThat(schema(
                                text("\uFF5E", 1),
                                text("\uD83D\uDE00", 2),
                                text("a", 3),
                                text("Z", 4),
                                text("é", 5),
                                text("", 6))
                        .attributes())
                .extracting(Attribute::name)
                .containsExactly("", "Z", "a", "é", "\uFF5E", "\uD83D\uDE00");
    }

    @Test
    void boundAndEavAttributesAreToldApartAndRetiredOnesLeftOut() {
        SchemaAttributes schema =
                schema(Attribute.bound("hot", 1, ValueType.TEXT, "text_01"), text("cold", 2), retired("gone", 3));
        assertThat(schema.bound()).extracting(Attribute::name).containsExactly("hot");
        assertThat(schema.eav()).extracting(Attribute::name).containsExactly("cold");
        assertThat(schema.attributes()).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({"a.b, a_b", "a b, A.B", "x[], `x", "NAME, name", "[], attr"})
    void twoAttributesOfOneColumnAreRefused(String one, String other) {
        assertThatThrownBy(() -> schema(text(one, 1), text(other, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("schema \"cities\"")
                .hasMessageContaining("would share the column")
                .hasMessageContainingAll("\"" + one + "\"", "\"" + other + "\"");
    }

    @Test
    void theMessageDoesNotDependOnTheOrderOfTheAttributes() {
        String message = messageOf(text("a.b", 1), text("a_b", 2));
        assertThat(messageOf(text("a_b", 2), text("a.b", 1))).isEqualTo(message);
    }

    @Test
    void lettersBeyondAsciiKeepTheirCase() {
        assertThat(schema(text("É", 1), text("é", 2)).attributes()).hasSize(2);
        // The Kelvin sign is a k to Unicode.
        assertThat(schema(text("\u212A", 1), text("k", 2)).attributes()).hasSize(2);
    }

    @Test
    void columnsAreComparedAlikeInEveryLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("tr"));
        try {
            assertThatThrownBy(() -> schema(text("TITLE", 1), text("title", 2)))
                    .isInstanceOf(IllegalArgumentException.class);
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @FieldSource("SYSTEM_COLUMNS")
    void namesOfSystemColumnsAreRefusedUnlessRetired(String column) {
        String shouted = column.toUpperCase(Locale.ROOT);
        assertThatThrownBy(() -> schema(text(shouted, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + shouted + "\" takes the name of the system column " + column);
        assertThat(schema(retired(column, 1)).attributes()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file_row_number",
                "File_Row_Number",
                "file.row number",
                "__duckdb_field_id",
                "__DuckDB_field_ID",
                "forma_cdc_file",
                "[forma]_cdc_file"
            })
    void namesThatReadersNeedAreRefusedUnlessRetired(String name) {
        assertThatThrownBy(() -> schema(text(name, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("schema \"cities\": attribute \"" + name + "\" takes the name ")
                .hasMessageEndingWith(", which readers need; give it another name");
        assertThat(schema(retired(name, 1)).attributes()).hasSize(1);
    }

    @Test
    void aRetiredAttributeStillHoldsItsColumn() {
        assertThatThrownBy(() -> schema(retired("a.b", 1), text("a_b", 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("would share the column a_b");
    }

    @Test
    void twoAttributesOfOneIdAreRefused() {
        assertThatThrownBy(() -> schema(text("a", 1), text("b", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("share the id 1");
    }

    private static String messageOf(Attribute... attributes) {
        try {
            schema(attributes);
            return "";
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static SchemaAttributes schema(Attribute... attributes) {
        return new SchemaAttributes("cities", List.of(attributes));
    }

    private static Attribute text(String name, int id) {
        return Attribute.eav(name, id, ValueType.TEXT);
    }

    private static Attribute retired(String name, int id) {
        return new Attribute(name, id, ValueType.TEXT, null, null, true);
    }
}
