package io.formacdc.manifest;

import io.formacdc.core.CdcException;

/**
 * The object store does not honour conditional writes, so that two writers of a manifest would lose each other's files.
 * Nothing was saved. Use a store with conditional writes, or set {@code singleWriterStore} where only one process writes.
 */
public final class ConditionalWritesUnsupportedException extends CdcException {
    public ConditionalWritesUnsupportedException(String message) {
        super(message);
    }
}
