package io.formacdc.core;

/**
 * A request to the object store failed. Of a request that writes, nothing is known: it may have taken effect. The two
 * subclasses say more.
 */
public class ObjectStoreException extends CdcException {
    public ObjectStoreException(String message) {
        super(message);
    }

    public ObjectStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
