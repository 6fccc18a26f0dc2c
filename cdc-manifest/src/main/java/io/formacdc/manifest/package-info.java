/**
 * The list of a schema's files: its records, its two JSON documents, and the store that saves it by compare-and-swap.
 *
 * <p>A file is part of the lake when, and only when, its schema's manifest lists it. Everything that changes a manifest
 * goes through {@link io.formacdc.manifest.ManifestStore#update}, one loop that loses no concurrent change, lists no
 * path twice, and says truthfully whether it committed.
 */
@NullMarked
package io.formacdc.manifest;

import org.jspecify.annotations.NullMarked;
