/**
 * The domain: configuration, ports, the change log, locks, paths, and the order of effects of a flush.
 *
 * <p>Nothing here knows AWS, DuckDB or JSON. Every effect on the world goes through a port ({@link
 * io.formacdc.core.ObjectStore}, {@link io.formacdc.core.SnapshotExporter}, {@link io.formacdc.core.FileLog}, {@link
 * io.formacdc.core.ChangeLogStore}), so that each way a flush can die can be tried in milliseconds.
 */
@NullMarked
package io.formacdc.core;

import org.jspecify.annotations.NullMarked;
