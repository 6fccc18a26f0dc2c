package io.formacdc.manifest;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Text by key in a lasting order, which nobody can change: it is copied once, and then shared by all that hold the same.
 * Ten thousand entries of a manifest have the same columns, and two maps that are one are compared at no cost.
 */
final class FrozenMap extends AbstractMap<String, String> {
    private static final FrozenMap EMPTY = new FrozenMap(Map.of());

    private final Map<String, String> content;

    private FrozenMap(Map<String, String> content) {
        this.content = Collections.unmodifiableMap(content);
    }

    /** A map with the same entries in the same order: the given one, if it is frozen already. */
    static FrozenMap copyOf(Map<String, String> map) {
        if (map instanceof FrozenMap frozen) {
            return frozen;
        }
        return map.isEmpty() ? EMPTY : new FrozenMap(new LinkedHashMap<>(map));
    }

    @Override
    public Set<Entry<String, String>> entrySet() {
        return content.entrySet();
    }

    @Override
    public @Nullable String get(Object key) {
        return content.get(key);
    }

    @Override
    public boolean containsKey(Object key) {
        return content.containsKey(key);
    }
}
