package io.formacdc.core;

/**
 * A manifest save failed and no reload could tell whether it took effect. The object stays where it is, the rows stay
 * dirty: if the file was listed after all, the next flush lists the same versions again and readers see each row once.
 */
public final class CommitStateUnknownException extends CdcException {
    private final String key;

    /**
     * @param message what failed, for which schema
     * @param key key of the object that may or may not be listed
     * @param cause the last failure
     */
    public CommitStateUnknownException(String message, String key, Throwable cause) {
        super(message, cause);
        this.key = key;
    }

    /** The key of the object that may or may not be listed. */
    public String key() {
        return key;
    }
}
