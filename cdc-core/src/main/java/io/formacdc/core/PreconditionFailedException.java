package io.formacdc.core;

/** A conditional write was refused. Another write may have won, or this very write, sent twice by the transport's own retry. */
public final class PreconditionFailedException extends ObjectStoreException {
    public PreconditionFailedException(String message) {
        super(message);
    }

    public PreconditionFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
