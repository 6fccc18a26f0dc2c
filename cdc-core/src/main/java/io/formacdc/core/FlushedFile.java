package io.formacdc.core;

/**
 * A delta in its place in the store.
 *
 * @param key its key; unique for ever, so it is also the identity of the commit that lists it
 * @param contents what is in it
 */
public record FlushedFile(String key, FileContents contents) {}
