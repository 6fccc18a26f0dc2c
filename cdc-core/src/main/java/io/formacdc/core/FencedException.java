package io.formacdc.core;

/**
 * Another flush, or another initial export, has listed files since this one loaded the manifest. A chunk of a flush was
 * given up: its rows stay dirty, its object is deleted. An export has listed nothing.
 */
public final class FencedException extends CdcException {
    public FencedException(String message) {
        super(message);
    }

    public FencedException(String message, Throwable cause) {
        super(message, cause);
    }
}
