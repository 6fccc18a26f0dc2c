package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The attributes of one schema, in the byte order of their names. Immutable.
 *
 * @param schemaName name for messages
 * @param attributes at most one for each id and each Parquet column
 */
public record SchemaAttributes(String schemaName, List<Attribute> attributes) {
    /** Columns that every file has, in this order, before the attributes. */
    public static final List<String> SYSTEM_COLUMNS = List.of(
            "schema_id",
            "row_id",
            "changed_at",
            "deleted_at",
            "ltbase_created_at",
            "ltbase_updated_at",
            "ltbase_deleted_at");

    private static final Set<String> RESERVED = Set.copyOf(SYSTEM_COLUMNS);

    /** DuckDB numbers rows by the first and tells field ids by the second; the view of a reader names files by the third. */
    private static final Set<String> USED_BY_READERS = Set.of("file_row_number", "__duckdb_field_id", "forma_cdc_file");

    /**
     * @throws IllegalArgumentException if two attributes share an id or a Parquet column (ASCII case ignored, as DuckDB
     *     does), or one takes the name of a system column, or {@code file_row_number}, {@code __duckdb_field_id} or {@code
     *     forma_cdc_file}, which readers need; a retired attribute may have any of these names
     */
    public SchemaAttributes {
        requireNonNull(schemaName, "schemaName");
        List<Attribute> sorted = new ArrayList<>(attributes);
        sorted.sort(Comparator.comparing(Attribute::name, SchemaAttributes::compareInByteOrder));
        attributes = List.copyOf(sorted);
        Map<String, Attribute> byColumn = new HashMap<>();
        Map<Integer, Attribute> byId = new HashMap<>();
        for (Attribute attribute : attributes) {
            String column = asciiLowerCase(attribute.columnName());
            if (!attribute.retired() && RESERVED.contains(column)) {
                throw refused(schemaName, attribute, "takes the name of the system column " + column);
            }
            if (!attribute.retired() && USED_BY_READERS.contains(column)) {
                throw refused(
                        schemaName,
                        attribute,
                        "takes the name " + column + ", which readers need; give it another name");
            }
            Attribute sameColumn = byColumn.putIfAbsent(column, attribute);
            if (sameColumn != null) {
                throw refused(
                        schemaName, attribute, "and \"" + sameColumn.name() + "\" would share the column " + column);
            }
            Attribute sameId = byId.putIfAbsent(attribute.id(), attribute);
            if (sameId != null) {
                throw refused(schemaName, attribute, "and \"" + sameId.name() + "\" share the id " + attribute.id());
            }
        }
    }

    /** The attributes in hot columns, retired ones left out. */
    public List<Attribute> bound() {
        return attributes.stream()
                .filter(a -> a.binding() != null && !a.retired())
                .toList();
    }

    /** The attributes in {@code eav_data}, retired ones left out. */
    public List<Attribute> eav() {
        return attributes.stream()
                .filter(a -> a.binding() == null && !a.retired())
                .toList();
    }

    private static IllegalArgumentException refused(String schemaName, Attribute attribute, String why) {
        return new IllegalArgumentException(
                "schema \"" + schemaName + "\": attribute \"" + attribute.name() + "\" " + why);
    }

    /** UTF-8 byte order, which is code point order and not that of {@link String#compareTo}. */
    private static int compareInByteOrder(String a, String b) {
        return java.util.Arrays.compare(a.codePoints().toArray(), b.codePoints().toArray());
    }

    private static String asciiLowerCase(String name) {
        StringBuilder lower = new StringBuilder(name);
        for (int i = 0; i < lower.length(); i++) {
            char c = lower.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                lower.setCharAt(i, (char) (c + 32));
            }
        }
        return lower.toString();
    }
}
