package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.FlushedFile;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Which types of one column a reader can unite over several files. What is no list unites with what is none, as text if
 * need be; a list with a list, by their items; a {@code UUID} with {@code UUID} alone. That is what DuckDB does with
 * {@code union_by_name}.
 */
public final class ColumnTypes {
    /** How an error ends that tells of types which do not unite. */
    public static final String CURE = "there is no type for both; export the base anew with replacingDeltas(), which"
            + " gives all rows the new type, or give the attribute another name";

    private ColumnTypes() {}

    /**
     * Tells whether values of both types can stand in one column.
     *
     * @param type as DuckDB writes it, like the other
     */
    public static boolean canUnite(String type, String other) {
        return areOfOneShape(type, other) && isUuid(type) == isUuid(other);
    }

    /**
     * Tells whether both types are lists as deep as each other, or neither is one. Text and {@code UUID} are, and unite as
     * long as every text is one of a UUID.
     *
     * @param type as DuckDB writes it, like the other
     */
    public static boolean areOfOneShape(String type, String other) {
        if (isList(type) || isList(other)) {
            return isList(type) && isList(other) && areOfOneShape(itemOf(type), itemOf(other));
        }
        return nestingOf(type).equals(nestingOf(other));
    }

    /**
     * Refuses a file that could not be read together with those that are listed. Entries that do not tell their columns
     * are passed over.
     *
     * @throws CdcException naming column, types and a listed file
     */
    static void refuseUnlessUnitable(Manifest manifest, FlushedFile file) {
        Map<String, String> types = new HashMap<>();
        file.contents().columns().forEach((name, type) -> types.put(folded(name), type));
        Map<String, String> checked = file.contents().columns();
        for (ManifestEntry listed : manifest.entries()) {
            boolean isChecked = listed.columns().equals(checked); // as of most files of a schema
            checked = listed.columns();
            if (isChecked) {
                continue;
            }
            listed.columns().forEach((name, type) -> {
                String newType = types.get(folded(name));
                if (newType != null && !newType.equals(type) && !canUnite(newType, type)) {
                    throw new CdcException("schema " + manifest.schemaId() + ": column \"" + name + "\" is " + newType
                            + " now, but " + type + " in " + listed.path() + "; " + CURE);
                }
            });
        }
    }

    private static String folded(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private static boolean isList(String type) {
        return type.endsWith("]");
    }

    private static String itemOf(String list) {
        return list.substring(0, list.lastIndexOf('['));
    }

    private static boolean isUuid(String type) {
        return isList(type) ? isUuid(itemOf(type)) : type.equalsIgnoreCase("UUID");
    }

    /** Of other writers' types. */
    private static String nestingOf(String type) {
        String upper = type.toUpperCase(Locale.ROOT);
        return Stream.of("STRUCT", "MAP").filter(upper::startsWith).findFirst().orElse("");
    }
}
