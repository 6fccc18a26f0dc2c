package io.formacdc.duckdb;

import io.formacdc.core.TableName;
import java.util.LinkedHashMap;
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
        String inside = nested.entrySet().stream()
                .filter(field -> !field.getValue().isEmpty())
                .map(field -> TableName.quote(field.getKey()) + ": "
                        + field.getValue().sql())
                .collect(Collectors.joining(", "));
        if (inside.isEmpty()) {
            return String.valueOf(id);
        }
        return "{" + (id == null ? "" : OWN_ID + ": " + id + ", ") + inside + "}";
    }
}
