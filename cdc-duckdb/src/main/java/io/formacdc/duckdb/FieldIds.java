package io.formacdc.duckdb;

import io.formacdc.core.TableName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Parquet field ids of a column and of what is nested in it. Immutable.
 *
 * @param id null if the file gives none
 * @param nested by the names that DuckDB has for them: fields of a struct, {@code element} of a list
 */
record FieldIds(@Nullable Integer id, Map<String, FieldIds> nested) {
    static final FieldIds NONE = new FieldIds(null, Map.of());

    private static final String OWN_ID = "__duckdb_field_id";

    FieldIds {
        nested = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(nested));
    }

    FieldIds withoutNested() {
        return new FieldIds(id, Map.of());
    }

    /** Without those that are taken, all of which are taken then. */
    FieldIds take(Set<Integer> taken) {
        Integer own = id != null && taken.add(id) ? id : null;
        Map<String, FieldIds> rest = new LinkedHashMap<>();
        nested.forEach((name, ids) -> rest.put(name, ids.take(taken)));
        return new FieldIds(own, rest);
    }

    boolean isEmpty() {
        return id == null && nested.values().stream().allMatch(FieldIds::isEmpty);
    }

    /** As {@code FIELD_IDS} takes it. */
    String sql() {
        String inside = sql(nested);
        if (inside.isEmpty()) {
            return String.valueOf(id);
        }
        return "{" + (id == null ? "" : OWN_ID + ": " + id + ", ") + inside + "}";
    }

    /** What {@code FIELD_IDS} takes between its braces; nothing of what has no id. */
    static String sql(Map<String, FieldIds> fields) {
        return fields.entrySet().stream()
                .filter(field -> !field.getValue().isEmpty())
                .map(field -> TableName.quote(field.getKey()) + ": "
                        + field.getValue().sql())
                .collect(Collectors.joining(", "));
    }

    /**
     * What tells the field ids of a file.
     *
     * @param file a literal
     */
    static String query(String file) {
        return "SELECT name, coalesce(num_children, 0), field_id, CASE repetition_type WHEN 'REPEATED' THEN '' ELSE"
                + " coalesce(duckdb_type, '') END FROM parquet_schema(" + file + ") ORDER BY column_id";
    }

    /**
     * An element of a Parquet schema, which is a tree told depth first.
     *
     * @param type of a column or of something nested in it; empty for levels between, that only Parquet has
     */
    private record Element(
            String name, int children, @Nullable Integer fieldId, String type) {}

    /** Of each column of a file, from what {@link #query} yields. */
    static Map<String, FieldIds> read(ResultSet result) throws SQLException {
        List<Element> elements = new ArrayList<>();
        while (result.next()) {
            int id = result.getInt(3);
            Integer fieldId = result.wasNull() ? null : id;
            elements.add(new Element(result.getString(1), result.getInt(2), fieldId, result.getString(4)));
        }
        Iterator<Element> rest = elements.iterator();
        return rest.hasNext() ? children(rest.next(), rest) : Map.of();
    }

    private static Map<String, FieldIds> children(Element parent, Iterator<Element> rest) {
        Map<String, FieldIds> children = new LinkedHashMap<>();
        for (int i = 0; i < parent.children(); i++) {
            Element child = rest.next();
            Map<String, FieldIds> nested = children(child, rest);
            children.put(child.name(), new FieldIds(child.fieldId(), withoutRepeatedLevel(child.type(), nested)));
        }
        return children;
    }

    /** Parquet has a level between a list or map and what is in it, of which DuckDB's types know nothing. */
    private static Map<String, FieldIds> withoutRepeatedLevel(String type, Map<String, FieldIds> nested) {
        if (type.isEmpty()) {
            return nested;
        }
        return switch (MergeSource.Kind.of(type)) {
            case SCALAR -> Map.of();
            case STRUCT -> nested;
            case LIST, MAP ->
                nested.size() == 1 ? nested.values().iterator().next().nested() : Map.of();
        };
    }
}
