package io.formacdc.duckdb;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcException;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a schema's files hold behind the system columns. Immutable.
 *
 * @param hot columns from {@code entity_main}
 * @param eav columns from {@code eav_data}; empty if generic
 * @param generic whether the rows of {@code eav_data} are kept as one list of structs, for lack of metadata
 * @param valueNumericType how {@code value_numeric} arrives
 */
record Projection(List<HotColumn> hot, List<EavAttribute> eav, boolean generic, PgType valueNumericType) {
    static final int FIRST_HOT_FIELD_ID = 10;
    static final int LAST_HOT_FIELD_ID = 69;
    static final int GENERIC_LIST_FIELD_ID = 90;
    static final int ATTRIBUTE_FIELD_ID = 100;
    static final int LIST_ITEM_FIELD_ID = 40_000;

    private static final Pattern HOT_COLUMN = Pattern.compile("(text|smallint|integer|bigint|double|uuid)_\\d+");

    /** The standard columns in the order of contract section 2, which is that of their field ids. */
    private static final List<String> STANDARD_HOT_COLUMNS = Stream.of(
                    numbered("text", 10),
                    numbered("smallint", 3),
                    numbered("integer", 3),
                    numbered("bigint", 5),
                    numbered("double", 5),
                    numbered("uuid", 2))
            .flatMap(s -> s)
            .toList();

    /**
     * The projection of a schema.
     *
     * @param attributes null for the generic one
     * @throws CdcException if an attribute names a column that is not there, or one of another kind
     */
    static Projection of(TableCatalog catalog, @Nullable SchemaAttributes attributes) {
        if (attributes == null) {
            return new Projection(everyHotColumn(catalog), List.of(), true, catalog.valueNumericType());
        }
        List<HotColumn> hot = attributes.bound().stream()
                .map(a -> bound(catalog, attributes.schemaName(), a))
                .toList();
        List<EavAttribute> eav = attributes.eav().stream().map(Projection::eav).toList();
        return new Projection(hot, eav, false, catalog.valueNumericType());
    }

    boolean hasLists() {
        return eav.stream().anyMatch(EavAttribute::isList);
    }

    /**
     * Whether {@link EntityJoin} joins the attributes with their entity. Else DuckDB does, because its Java functions
     * have no type for a list.
     */
    boolean isMergedByReader() {
        return readsEav() && !generic && !hasLists();
    }

    /** Whether {@code eav_data} has to be read at all. */
    boolean readsEav() {
        return generic || !eav.isEmpty();
    }

    private static HotColumn bound(TableCatalog catalog, String schemaName, Attribute attribute) {
        ColumnBinding binding = attribute.hotColumn().orElseThrow();
        PgType type = catalog.entityMain().get(binding.columnName());
        if (type == null) {
            throw new CdcException("schema \"" + schemaName + "\": attribute \"" + attribute.name()
                    + "\" is bound to column " + binding.columnName() + ", which table " + catalog.entityMainTable()
                    + " does not have");
        }
        boolean encodingFits = switch (binding.encoding()) {
            case DEFAULT -> true;
            case BOOL_SMALLINT, UNIX_MS -> type.isInteger();
            case BOOL_TEXT, ISO8601 -> type.isReadAsText();
        };
        if (!encodingFits) {
            throw new CdcException("schema \"" + schemaName + "\": attribute \"" + attribute.name() + "\" has encoding "
                    + binding.encoding() + ", but column " + binding.columnName() + " is of type " + type);
        }
        LakeType target = LakeType.ofBound(attribute.type());
        if (!canHold(type, target)) {
            throw new CdcException("schema \"" + schemaName + "\": attribute \"" + attribute.name() + "\" is "
                    + attribute.type() + ", of which column " + binding.columnName() + " of table "
                    + catalog.entityMainTable() + " can hold no value, being of type " + type);
        }
        return new HotColumn(
                attribute.name(),
                binding.columnName(),
                type,
                attribute.columnName(),
                target,
                ATTRIBUTE_FIELD_ID + attribute.id());
    }

    /** False where {@link ConversionSql} makes NULL of each and every value, so that the binding must be a mistake. */
    private static boolean canHold(PgType source, LakeType target) {
        if (source == PgType.UUID) {
            return target == LakeType.UUID || target == LakeType.VARCHAR;
        }
        return target != LakeType.UUID || source.isReadAsText();
    }

    private static EavAttribute eav(Attribute attribute) {
        ValueType itemType = attribute.itemType();
        return new EavAttribute(
                attribute.id(),
                attribute.name(),
                attribute.columnName(),
                LakeType.ofEav(itemType == null ? attribute.type() : itemType),
                itemType != null);
    }

    private static List<HotColumn> everyHotColumn(TableCatalog catalog) {
        Map<String, Integer> fieldIds = new LinkedHashMap<>();
        STANDARD_HOT_COLUMNS.forEach(name -> fieldIds.put(name, FIRST_HOT_FIELD_ID + fieldIds.size()));
        List<String> present = new ArrayList<>();
        for (String column : catalog.entityMain().keySet()) {
            if (HOT_COLUMN.matcher(column).matches()) {
                present.add(column);
                fieldIds.putIfAbsent(column, FIRST_HOT_FIELD_ID + fieldIds.size());
            }
        }
        if (FIRST_HOT_FIELD_ID + fieldIds.size() - 1 > LAST_HOT_FIELD_ID) {
            throw new CdcException(
                    "table " + catalog.entityMainTable() + " has more hot columns than field ids are kept for ("
                            + (LAST_HOT_FIELD_ID - FIRST_HOT_FIELD_ID + 1)
                            + "); give a schema registry that names those in use");
        }
        return present.stream()
                .map(c ->
                        new HotColumn(c, c, type(catalog, c), c, asItIs(type(catalog, c)), fieldIds.getOrDefault(c, 0)))
                .sorted(java.util.Comparator.comparingInt(HotColumn::fieldId))
                .toList();
    }

    private static PgType type(TableCatalog catalog, String column) {
        return catalog.entityMain().getOrDefault(column, PgType.OTHER);
    }

    private static LakeType asItIs(PgType type) {
        return switch (type) {
            case INT2 -> LakeType.SMALLINT;
            case INT4 -> LakeType.INTEGER;
            case INT8 -> LakeType.BIGINT;
            case FLOAT4, FLOAT8, NUMERIC -> LakeType.DOUBLE;
            case UUID -> LakeType.UUID;
            case BOOL -> LakeType.BOOLEAN;
            case TEXT, OTHER -> LakeType.VARCHAR;
        };
    }

    private static Stream<String> numbered(String prefix, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(n -> "%s_%02d".formatted(prefix, n));
    }
}
