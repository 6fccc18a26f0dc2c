package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One attribute of a schema.
 *
 * @param name as the host spells it; {@link #columnName()} is its name in Parquet
 * @param id {@code attr_id} of {@code eav_data}, 1..32767
 * @param type declared type of the values
 * @param itemType type of a list's items; null unless {@code type} is LIST
 * @param binding the hot column; null for an attribute in {@code eav_data}
 * @param retired no longer projected; its name still counts, because older files have the column
 */
public record Attribute(
        String name,
        int id,
        ValueType type,
        @Nullable ValueType itemType,
        @Nullable ColumnBinding binding,
        boolean retired) {

    /** @throws IllegalArgumentException for an id outside 1..32767, a name with a NUL, or a list where none can be */
    public Attribute {
        requireNonNull(name, "name");
        requireNonNull(type, "type");
        if (name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "attribute \"" + name.replace("\0", "\\0") + "\" has a NUL in its name, which no column can have");
        }
        if (id < 1 || id > Short.MAX_VALUE) {
            throw new IllegalArgumentException("attribute \"" + name + "\" has id " + id + ", must be 1 to 32767");
        }
        if (type == ValueType.LIST) {
            if (binding != null) {
                throw new IllegalArgumentException("list attribute \"" + name + "\" cannot be bound to a hot column");
            }
            itemType = itemType == null ? ValueType.TEXT : itemType;
            if (itemType == ValueType.LIST) {
                throw new IllegalArgumentException("list attribute \"" + name + "\" cannot hold lists");
            }
        } else if (itemType != null) {
            throw new IllegalArgumentException("attribute \"" + name + "\" is no list, but has an item type");
        }
    }

    /** A scalar kept in {@code eav_data}. */
    public static Attribute eav(String name, int id, ValueType type) {
        return new Attribute(name, id, type, null, null, false);
    }

    /** A list kept in {@code eav_data}. */
    public static Attribute list(String name, int id, ValueType itemType) {
        return new Attribute(name, id, ValueType.LIST, itemType, null, false);
    }

    /** A scalar kept in a hot column. */
    public static Attribute bound(String name, int id, ValueType type, String columnName) {
        return new Attribute(name, id, type, null, new ColumnBinding(columnName, ColumnEncoding.DEFAULT), false);
    }

    /** The hot column, if the attribute is kept in one. */
    public Optional<ColumnBinding> hotColumn() {
        return Optional.ofNullable(binding);
    }

    /**
     * The column in Parquet: backtick and brackets removed, dot and space as underscore, {@code attr} if nothing is
     * left. Never changes for a given name.
     */
    public String columnName() {
        String folded = name.replaceAll("[`\\[\\]]", "").replaceAll("[. ]", "_");
        return folded.isEmpty() ? "attr" : folded;
    }
}
