package io.formacdc.core;

import java.util.Locale;

/** The declared type of an attribute's values, as metadata spells it in lower case. */
public enum ValueType {
    TEXT,
    SMALLINT,
    INTEGER,
    BIGINT,
    NUMERIC,
    DATE,
    DATETIME,
    UUID,
    BOOL,
    LIST,
    /** A name that this version does not know; such values are kept as text. */
    UNKNOWN;

    /** The type that metadata calls by this name, in any case; {@link #UNKNOWN} for any other name. */
    public static ValueType parse(String name) {
        for (ValueType type : values()) {
            if (type.name().equals(name.toUpperCase(Locale.ROOT))) {
                return type;
            }
        }
        return UNKNOWN;
    }
}
