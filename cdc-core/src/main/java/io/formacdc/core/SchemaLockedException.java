package io.formacdc.core;

/** A flush or an export of the schema is under way elsewhere. Nothing was read or written; try again when it is done. */
public final class SchemaLockedException extends CdcException {
    public SchemaLockedException(String message) {
        super(message);
    }

    public SchemaLockedException(String message, Throwable cause) {
        super(message, cause);
    }
}
