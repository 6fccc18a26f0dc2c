package io.formacdc.core;

/**
 * The root of everything this library throws. Subclasses are named by what the caller can do about them. No message
 * carries a password, a token or a key of an account.
 */
public class CdcException extends RuntimeException {
    public CdcException(String message) {
        super(message);
    }

    public CdcException(String message, Throwable cause) {
        super(message, cause);
    }
}
