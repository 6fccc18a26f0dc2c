package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileSchemaRegistryTest {
    @TempDir
    private Path folder;

    @Test
    void everyKindOfAttributeIsRead() {
        write("note", """
                {"title": {"attributeID": 1, "valueType": "text", "column_binding": {"col_name": "text_01"}},
                 "active": {"attributeID": 2, "valueType": "bool", "required": {"policy": "always"},
                            "column_binding": {"col_name": "smallint_01", "encoding": "bool_smallint"}},
                 "tags": {"attributeID": 3, "valueType": "list", "items_type": "bigint"},
                 "names": {"attributeID": 4, "valueType": "list"},
                 "old": {"attributeID": 5, "valueType": "text", "retired": true},
                 "born": {"attributeID": 6, "valueType": "date", "items_type": "text", "column_binding": null},
                 "shape": {"attributeID": 7, "valueType": "polygon", "retired": false}}""");
        write("note_schema_only", "{");

        FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of("note", 7));

        assertThat(registry.problems()).isEmpty();
        SchemaAttributes attributes = registry.findAttributes(7).orElseThrow();
        assertThat(attributes.schemaName()).isEqualTo("note");
        assertThat(attributes.attributes())
                .containsExactlyInAnyOrder(
                        Attribute.bound("title", 1, ValueType.TEXT, "text_01"),
                        new Attribute(
                                "active",
                                2,
                                ValueType.BOOL,
                                null,
                                new ColumnBinding("smallint_01", ColumnEncoding.BOOL_SMALLINT),
                                false),
                        Attribute.list("tags", 3, ValueType.BIGINT),
                        Attribute.list("names", 4, ValueType.TEXT),
                        new Attribute("old", 5, ValueType.TEXT, null, null, true),
                        Attribute.eav("born", 6, ValueType.DATE),
                        Attribute.eav("shape", 7, ValueType.UNKNOWN));
    }

    @Test
    void aSchemaWithoutAFileOrWithoutAnIdIsNotKnown() {
        write("note", "{}");

        FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of("task", 8));

        assertThat(registry.findAttributes(8)).isEmpty();
        assertThat(registry.findAttributes(7)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"a": {"valueType": "text"}}                                  | attribute "a": attributeID must be an integer
            {"a": {"attributeID": "1", "valueType": "text"}}              | attribute "a": attributeID must be an integer
            {"a": {"attributeID": 1.5, "valueType": "text"}}              | attribute "a": attributeID must be an integer
            {"a": {"attributeID": 40000, "valueType": "text"}}            | attribute "a" has id 40000
            {"a": {"attributeID": 1}}                                     | attribute "a": valueType must be a text
            {"a": {"attributeID": 1, "valueType": 3}}                     | attribute "a": valueType must be a text
            {"a": {"attributeID": 1, "valueType": "list", "items_type": "list"}} | attribute "a" cannot hold lists
            {"a": {"attributeID": 1, "valueType": "text", "retired": "no"}}      | attribute "a": retired must be
            {"a": {"attributeID": 1, "valueType": "text", "column_binding": "text_01"}} | attribute "a": column_binding must
            {"a": {"attributeID": 1, "valueType": "text", "column_binding": {}}}        | attribute "a": column_binding must
            {"a": {"attributeID": 1, "valueType": "bool", "column_binding": {"col_name": "x", "encoding": "hex"}}} | "hex"
            {"a": 1}                                                      | attribute "a": its metadata is no object
            {"a.b": {"attributeID": 1, "valueType": "text"}, "a_b": {"attributeID": 2, "valueType": "text"}} | share the column a_b
            {"row_id": {"attributeID": 1, "valueType": "text"}}           | "row_id" takes the name of the system column
            {"a": {"attributeID": 1, "valueType": "text"}, "a": {}}       | is not valid JSON: Duplicate
            []                                                            | is no JSON object
            {                                                             | is not valid JSON
            """)
    void aBrokenFileFailsItsSchemaByFileAndAttribute(String document, String problem) {
        write("note", document);
        write("task", "{\"b\": {\"attributeID\": 1, \"valueType\": \"text\"}}");

        FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of("note", 7, "task", 8));

        assertThatThrownBy(() -> registry.findAttributes(7))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("note_attributes.json")
                .hasMessageContaining(problem);
        assertThat(registry.problems()).hasSize(1).first().asString().contains("note_attributes.json");
        assertThat(registry.findAttributes(8)).isPresent();
    }

    @Test
    void everyProblemOfAFileIsNamed() {
        write("note", "{\"a\": {\"attributeID\": 1}, \"b\": {\"valueType\": \"text\"}}");

        assertThat(FileSchemaRegistry.load(folder, Map.of("note", 7)).problems())
                .hasSize(2)
                .anyMatch(p -> p.contains("\"a\""))
                .anyMatch(p -> p.contains("\"b\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../note", "/etc/note", "a/b", "nul\0"})
    void aNameThatLeadsOutOfTheFolderIsNotFollowed(String name) {
        FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of(name, 7));

        assertThatThrownBy(() -> registry.findAttributes(7))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("cannot be part of a file name");
    }

    @Test
    void aMissingFolderAndImpossibleIdsAreRefusedAtOnce() {
        Path missing = folder.resolve("missing");

        assertThatThrownBy(() -> FileSchemaRegistry.load(missing, Map.of("a", 0, "b", 5, "c", 5, "d", 32_768)))
                .isInstanceOfSatisfying(
                        InvalidConfigException.class,
                        e -> assertThat(e.problems()).hasSize(4).anyMatch(p -> p.contains("shares the id 5")));
    }

    private void write(String name, String document) {
        try {
            Files.writeString(folder.resolve(name + "_attributes.json"), document);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
