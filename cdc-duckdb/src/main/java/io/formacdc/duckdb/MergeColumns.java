package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.duckdb.MergeSource.Column;
import io.formacdc.manifest.ColumnTypes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The columns of a merged file: those of the system in the order of the contract, then those of the newest source in its
 * order, then what only older sources have. Immutable.
 *
 * @param columns in the order of the file
 * @param absent folded names of those that no source has
 */
record MergeColumns(List<Column> columns, Set<String> absent) {

    /**
     * The columns over sources.
     *
     * @param types as DuckDB unites them, by name
     * @param sources give order, spelling and field ids; of two that disagree, the one with the newest row decides
     */
    static MergeColumns of(Map<String, String> types, Collection<MergeSource> sources) {
        Map<String, String> rest = new LinkedHashMap<>();
        types.forEach((name, type) -> rest.put(Column.fold(name), type));
        List<MergeSource> newestFirst =
                sources.stream().sorted(MergeSource.NEWEST_FIRST).toList();
        Map<String, Column> columns = new LinkedHashMap<>();
        Set<String> absent = new HashSet<>();
        for (String name : SchemaAttributes.SYSTEM_COLUMNS) {
            String type = rest.remove(name);
            if (type == null) {
                absent.add(name);
            }
            columns.put(name, new Column(name, type == null ? systemType(name) : type, FieldIds.NONE));
        }
        for (MergeSource source : newestFirst) {
            for (Column column : source.columns()) {
                String type = rest.remove(column.folded());
                if (type != null) {
                    columns.put(column.folded(), new Column(column.name(), type, FieldIds.NONE));
                }
            }
        }
        return new MergeColumns(withFieldIds(columns, newestFirst), absent);
    }

    private static String systemType(String name) {
        return name.equals("schema_id") ? "SMALLINT" : name.equals("row_id") ? "UUID" : "BIGINT";
    }

    private static List<Column> withFieldIds(Map<String, Column> columns, List<MergeSource> newestFirst) {
        Map<String, FieldIds> fieldIds = new HashMap<>();
        Set<Integer> taken = new HashSet<>();
        for (MergeSource source : newestFirst) {
            for (Column column : source.columns()) {
                Column united = columns.get(column.folded());
                if (united != null && !fieldIds.containsKey(column.folded())) {
                    // Names of nested fields are known to be those of the result only if the types are the same.
                    FieldIds own = united.type().equals(column.type())
                            ? column.fieldIds()
                            : column.fieldIds().withoutNested();
                    FieldIds free = own.take(taken);
                    if (!free.isEmpty()) {
                        fieldIds.put(column.folded(), free);
                    }
                }
            }
        }
        return columns.values().stream()
                .map(c -> new Column(c.name(), c.type(), fieldIds.getOrDefault(c.folded(), FieldIds.NONE)))
                .toList();
    }

    /**
     * Refuses sources whose types have no common one.
     *
     * @throws CdcException naming the column, two types and their sources
     */
    static void refuseUnlessUnitable(int schemaId, Collection<MergeSource> sources) {
        Map<String, Owned> first = new HashMap<>();
        for (MergeSource source : sources) {
            for (Column column : source.columns()) {
                Owned other = first.putIfAbsent(column.folded(), new Owned(column, source));
                if (other != null
                        && !ColumnTypes.areOfOneShape(
                                column.type(), other.column().type())) {
                    throw new CdcException("schema " + schemaId + ": column \"" + column.name() + "\" is "
                            + column.type() + " in " + source.key() + ", but "
                            + other.column().type() + " in " + other.source().key() + "; " + ColumnTypes.CURE);
                }
            }
        }
    }

    private record Owned(Column column, MergeSource source) {}

    /**
     * What to select from the sources.
     *
     * @param deletedAt an expression for that column
     */
    String select(String deletedAt) {
        return columns.stream()
                .map(c -> c.name().equals("deleted_at") ? deletedAt + " AS deleted_at" : select(c))
                .collect(Collectors.joining(", "));
    }

    private String select(Column column) {
        String name = TableName.quote(column.name());
        return (absent.contains(column.folded()) ? "NULL::" + column.type() : "f." + name) + " AS " + name;
    }

    /** For {@code FIELD_IDS}. */
    String fieldIds() {
        List<String> ids = new ArrayList<>();
        for (Column column : columns) {
            if (!column.fieldIds().isEmpty()) {
                ids.add(TableName.quote(column.name()) + ": "
                        + column.fieldIds().sql());
            }
        }
        return String.join(", ", ids);
    }

    /** DuckDB type by column, in the order of the file. */
    Map<String, String> types() {
        Map<String, String> types = new LinkedHashMap<>();
        columns.forEach(c -> types.put(c.name(), c.type()));
        return types;
    }
}
