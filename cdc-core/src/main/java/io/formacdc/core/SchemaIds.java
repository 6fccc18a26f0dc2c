package io.formacdc.core;

/** The one door for schema ids: Go's {@code int16}, positive. */
public final class SchemaIds {
    private SchemaIds() {}

    /**
     * Returns the id.
     *
     * @throws IllegalArgumentException unless it lies in 1..32767
     */
    public static int check(int schemaId) {
        if (schemaId < 1 || schemaId > Short.MAX_VALUE) {
            throw new IllegalArgumentException("schema id must be 1 to 32767, not " + schemaId);
        }
        return schemaId;
    }
}
