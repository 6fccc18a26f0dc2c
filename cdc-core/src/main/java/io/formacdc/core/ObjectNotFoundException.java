package io.formacdc.core;

/** The bucket answered, and holds no object at the key. A missing bucket, or any other 404, is not this. */
public final class ObjectNotFoundException extends ObjectStoreException {
    public ObjectNotFoundException(String message) {
        super(message);
    }

    public ObjectNotFoundException(String message, Throwable cause) {
        super(message, cause);
    }
}
