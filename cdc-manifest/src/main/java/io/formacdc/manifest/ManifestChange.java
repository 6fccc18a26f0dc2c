package io.formacdc.manifest;

import java.util.List;

/**
 * A change that {@link ManifestStore#update} saves, and applies again whenever another writer came first. Its methods
 * have no effects.
 */
public interface ManifestChange {
    /** Key of a file that the change lists, or else takes off the list; unique for ever, it names the change in errors. */
    String key();

    /**
     * Whether a manifest shows that this change was saved. Asked of what is loaded, before {@link #applyTo}.
     *
     * <p>By default: the key is listed, or is retired already, because a compaction can take up a file between the
     * save that listed it and the reload that looks for it. A change that lists nothing overrides this.
     */
    default boolean isCommittedIn(Manifest manifest) {
        return manifest.lists(key()) || manifest.retires(key());
    }

    /**
     * Keys of the objects that the change lists. Each must be in its place before the change is saved; the store asks
     * for them again where a sweep may have taken them for orphans meanwhile.
     */
    default List<String> listedKeys() {
        return List.of();
    }

    /**
     * The manifest with the change. The store sets schema id, form, version and time itself.
     *
     * @param manifest as loaded, and not changed yet
     * @throws RuntimeException to give up, because what is loaded no longer allows the change; nothing is saved then
     */
    Manifest applyTo(Manifest manifest);
}
