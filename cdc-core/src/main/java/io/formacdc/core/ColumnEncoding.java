package io.formacdc.core;

/** How a value stands in a hot column whose SQL type is not the value's own. */
public enum ColumnEncoding {
    /** As the column's type says. */
    DEFAULT("default"),
    /** A boolean in a SMALLINT, true above one half. */
    BOOL_SMALLINT("bool_smallint"),
    /** A boolean in a TEXT, true as {@code 1} or {@code true}. */
    BOOL_TEXT("bool_text"),
    /** A date in a BIGINT, epoch milliseconds. */
    UNIX_MS("unix_ms"),
    /** A date in a TEXT, ISO 8601. */
    ISO8601("iso8601");

    private final String metadataName;

    ColumnEncoding(String metadataName) {
        this.metadataName = metadataName;
    }

    /**
     * The encoding that metadata calls by this name; empty means {@link #DEFAULT}.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static ColumnEncoding parse(String metadataName) {
        if (metadataName.isEmpty()) {
            return DEFAULT;
        }
        for (ColumnEncoding encoding : values()) {
            if (encoding.metadataName.equals(metadataName)) {
                return encoding;
            }
        }
        throw new IllegalArgumentException("unknown column encoding \"" + metadataName
                + "\"; known are default, bool_smallint, bool_text, unix_ms and iso8601");
    }

    @Override
    public String toString() {
        return metadataName;
    }
}
