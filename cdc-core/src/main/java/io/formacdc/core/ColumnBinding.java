package io.formacdc.core;

import static java.util.Objects.requireNonNull;

/**
 * The hot column in which an attribute is kept.
 *
 * @param columnName column of {@code entity_main}
 * @param encoding how the value stands in it
 */
public record ColumnBinding(String columnName, ColumnEncoding encoding) {
    public ColumnBinding {
        requireNonNull(columnName, "columnName");
        requireNonNull(encoding, "encoding");
        if (columnName.isBlank()) {
            throw new IllegalArgumentException("a column binding needs a column name");
        }
    }
}
