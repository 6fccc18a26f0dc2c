package io.formacdc.manifest;

import io.formacdc.core.DatabaseException;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaIds;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.TableName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The attributes in a folder of Go's metadata, {@code {name}_attributes.json} for each schema. Immutable: the folder is
 * read once, by {@link #load}.
 *
 * <pre>{@code
 * {"title":  {"attributeID": 1, "valueType": "text", "column_binding": {"col_name": "text_01"}},
 *  "active": {"attributeID": 2, "valueType": "bool",
 *             "column_binding": {"col_name": "smallint_01", "encoding": "bool_smallint"}},
 *  "tags":   {"attributeID": 3, "valueType": "list", "items_type": "text"},
 *  "old":    {"attributeID": 4, "valueType": "text", "retired": true}}
 * }</pre>
 *
 * <p>Other keys are left to others. A schema's broken file stops no other schema: it fails when that schema is asked
 * for, and {@link #problems()} tells it at once.
 */
public final class FileSchemaRegistry implements SchemaRegistry {
    private final Map<Integer, SchemaAttributes> attributesById;
    private final Map<Integer, InvalidConfigException> failuresById;

    private FileSchemaRegistry(
            Map<Integer, SchemaAttributes> attributesById, Map<Integer, InvalidConfigException> failuresById) {
        this.attributesById = attributesById;
        this.failuresById = failuresById;
    }

    /**
     * Reads the file of every named schema. A schema without a file is not known to the registry; a file without a
     * named schema is not read.
     *
     * @throws InvalidConfigException if the folder is none, an id is outside 1..32767, or two names share an id
     */
    public static FileSchemaRegistry load(Path folder, Map<String, Integer> schemaIdsByName) {
        checkArguments(folder, schemaIdsByName);
        Map<Integer, SchemaAttributes> attributes = new HashMap<>();
        Map<Integer, InvalidConfigException> failures = new LinkedHashMap<>();
        schemaIdsByName.forEach((name, id) -> {
            try {
                Path file = AttributesFile.pathOf(folder, name);
                if (Files.exists(file)) {
                    attributes.put(id, AttributesFile.read(file, name));
                }
            } catch (InvalidConfigException e) {
                failures.put(id, e);
            }
        });
        return new FileSchemaRegistry(attributes, failures);
    }

    /**
     * Reads the ids that {@link #load} needs from a table with the columns {@code schema_name} and {@code schema_id}, by
     * default {@code schema_registry}. The connection stays open, and its transaction as it is.
     *
     * @throws DatabaseException if the table cannot be read
     */
    public static Map<String, Integer> readSchemaIds(Connection connection, TableName table) {
        String sql = "SELECT schema_name, schema_id FROM " + table.sql() + " ORDER BY schema_id";
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            Map<String, Integer> ids = new LinkedHashMap<>();
            while (rows.next()) {
                ids.put(rows.getString(1), rows.getInt(2));
            }
            return ids;
        } catch (SQLException e) {
            throw new DatabaseException("reading schema ids from " + table, e);
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws InvalidConfigException naming file and attribute, if the schema's file is broken
     */
    @Override
    public Optional<SchemaAttributes> findAttributes(int schemaId) {
        InvalidConfigException failure = failuresById.get(schemaId);
        if (failure != null) {
            throw new InvalidConfigException(failure.problems());
        }
        return Optional.ofNullable(attributesById.get(schemaId));
    }

    /** What is wrong with the files, one sentence for each problem; empty when every schema can be flushed. */
    public List<String> problems() {
        return failuresById.values().stream()
                .flatMap(e -> e.problems().stream())
                .toList();
    }

    private static void checkArguments(Path folder, Map<String, Integer> schemaIdsByName) {
        List<String> problems = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            problems.add("metadata folder " + folder + " is not there");
        }
        Set<Integer> ids = new HashSet<>();
        schemaIdsByName.forEach((name, id) -> {
            try {
                SchemaIds.check(id);
            } catch (IllegalArgumentException e) {
                problems.add("schema \"" + name + "\": " + e.getMessage());
            }
            if (!ids.add(id)) {
                problems.add("schema \"" + name + "\" shares the id " + id + " with another");
            }
        });
        if (!problems.isEmpty()) {
            throw new InvalidConfigException(problems);
        }
    }
}
