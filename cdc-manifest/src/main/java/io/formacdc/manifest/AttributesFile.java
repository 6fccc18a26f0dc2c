package io.formacdc.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.formacdc.core.Attribute;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One schema's {@code {name}_attributes.json}. */
final class AttributesFile {
    private AttributesFile() {}

    /** @throws InvalidConfigException if the name, which a table may hold, would lead out of the folder */
    static Path pathOf(Path folder, String schemaName) {
        Path file;
        try {
            file = Path.of(schemaName + "_attributes.json");
        } catch (IllegalArgumentException e) {
            throw noFileName(schemaName);
        }
        if (file.getNameCount() != 1 || file.isAbsolute()) {
            throw noFileName(schemaName);
        }
        return folder.resolve(file);
    }

    /** @throws InvalidConfigException naming the file and every attribute that cannot be used */
    static SchemaAttributes read(Path file, String schemaName) {
        ObjectNode root = parse(file);
        List<Attribute> attributes = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : root.properties()) {
            try {
                attributes.add(attributeOf(entry.getKey(), entry.getValue()));
            } catch (IllegalArgumentException e) {
                problems.add(file + ": attribute \"" + entry.getKey() + "\": " + e.getMessage());
            }
        }
        if (!problems.isEmpty()) {
            throw new InvalidConfigException(problems);
        }
        try {
            return new SchemaAttributes(schemaName, attributes);
        } catch (IllegalArgumentException e) {
            throw new InvalidConfigException(List.of(file + ": " + e.getMessage()));
        }
    }

    private static ObjectNode parse(Path file) {
        byte[] content;
        try {
            content = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new InvalidConfigException(List.of(file + " cannot be read: " + e));
        }
        try {
            return StrictJson.readObject(content);
        } catch (IOException e) {
            throw new InvalidConfigException(List.of(file + " " + StrictJson.problemOf(e)));
        }
    }

    private static Attribute attributeOf(String name, JsonNode node) {
        if (!node.isObject()) {
            throw new IllegalArgumentException("its metadata is no object");
        }
        JsonNode id = node.path("attributeID");
        if (!id.isIntegralNumber() || !id.canConvertToInt()) {
            throw new IllegalArgumentException("attributeID must be an integer");
        }
        String valueType = text(node, "valueType");
        if (valueType == null) {
            throw new IllegalArgumentException("valueType must be a text");
        }
        ValueType type = ValueType.parse(valueType);
        JsonNode retired = node.path("retired");
        if (!retired.isMissingNode() && !retired.isBoolean()) {
            throw new IllegalArgumentException("retired must be true or false");
        }
        return new Attribute(
                name, id.intValue(), type, itemTypeOf(node, type), bindingOf(node), retired.booleanValue());
    }

    private static @Nullable ValueType itemTypeOf(JsonNode node, ValueType type) {
        String itemType = text(node, "items_type");
        return itemType == null || type != ValueType.LIST ? null : ValueType.parse(itemType);
    }

    private static @Nullable ColumnBinding bindingOf(JsonNode node) {
        JsonNode binding = node.path("column_binding");
        if (binding.isMissingNode() || binding.isNull()) {
            return null;
        }
        String column = binding.isObject() ? text(binding, "col_name") : null;
        if (column == null) {
            throw new IllegalArgumentException("column_binding must be an object with a col_name");
        }
        String encoding = text(binding, "encoding");
        return new ColumnBinding(column, ColumnEncoding.parse(encoding == null ? "" : encoding));
    }

    /** A text that is there and not empty; null otherwise. */
    private static @Nullable String text(JsonNode node, String key) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isTextual()) {
            throw new IllegalArgumentException(key + " must be a text");
        }
        return value.textValue().isEmpty() ? null : value.textValue();
    }

    private static InvalidConfigException noFileName(String schemaName) {
        return new InvalidConfigException(List.of("schema name \"" + schemaName + "\" cannot be part of a file name"));
    }
}
