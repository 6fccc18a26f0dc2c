package io.formacdc.core;

import java.util.Optional;

/**
 * What a host knows of its schemas' attributes. Called once for each schema of a pass, before that schema is touched;
 * an exception fails that schema alone.
 */
@FunctionalInterface
public interface SchemaRegistry {
    /**
     * The attributes of a schema; empty, never null, if the schema is not known, which fails its flush.
     *
     * @param schemaId 1..32767
     */
    Optional<SchemaAttributes> findAttributes(int schemaId);
}
