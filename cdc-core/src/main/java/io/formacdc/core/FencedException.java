package io.formacdc.core;

/** Another flush has listed files since this one loaded the manifest. The chunk was given up: its rows stay dirty, its object is deleted. */
public final class FencedException extends CdcException {
    public FencedException(String message) {
        super(message);
    }

    public FencedException(String message, Throwable cause) {
        super(message, cause);
    }
}
