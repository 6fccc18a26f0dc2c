package io.formacdc.core;

/** The two JSON documents in which deployments keep a schema's list of files. Both are read; a save keeps what it loaded. */
public enum ManifestForm {
    /** Two arrays, {@code base} and {@code delta}. */
    TIERED,
    /** One array, {@code files}, with a {@code tier} in each entry. */
    FILES
}
