package io.formacdc.manifest;

import org.jspecify.annotations.Nullable;

/**
 * A manifest as a store holds it.
 *
 * @param manifest what was read, or an empty manifest of version 0 when none is there
 * @param etag as received from the store; null when none is there
 */
public record StoredManifest(Manifest manifest, @Nullable String etag) {
    /** Whether there is a manifest. */
    public boolean exists() {
        return etag != null;
    }
}
