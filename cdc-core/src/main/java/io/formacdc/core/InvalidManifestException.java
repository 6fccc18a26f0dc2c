package io.formacdc.core;

/** A manifest cannot be used: not JSON, of another schema, or with entries that cannot be addressed. It is left as it is. */
public final class InvalidManifestException extends CdcException {
    public InvalidManifestException(String message) {
        super(message);
    }

    public InvalidManifestException(String message, Throwable cause) {
        super(message, cause);
    }
}
