package io.formacdc.core;

import java.time.Instant;

/** A snapshot of PostgreSQL, opened for a schema at a time of this machine's clock. */
public record OpenSnapshot(int schemaId, Instant openedAt) {}
