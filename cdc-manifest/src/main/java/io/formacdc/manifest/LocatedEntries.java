package io.formacdc.manifest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** The entries of one array of a document, and where they stand in its bytes. Confined to a thread. */
final class LocatedEntries {
    private final List<ManifestEntry> entries = new ArrayList<>();
    private int begin;
    private int[] ends = new int[16];

    /**
     * Adds the next entry.
     *
     * @param begin of its first byte; negative, as for all others, if that is not known
     * @param end of the byte after its last one
     */
    void add(ManifestEntry entry, int begin, int end) {
        int index = entries.size();
        if (index == 0) {
            this.begin = begin;
        }
        if (index == ends.length) {
            ends = Arrays.copyOf(ends, 2 * index);
        }
        ends[index] = end;
        entries.add(entry);
    }

    List<ManifestEntry> entries() {
        return Collections.unmodifiableList(entries);
    }

    /**
     * How many entries a list begins with whose bytes can be copied, because they are the first ones here, too. Only the
     * very same object counts: equal ones can differ in the order of their columns.
     */
    @SuppressWarnings("ReferenceEquality")
    int countOfSame(List<ManifestEntry> list, byte[] document) {
        int most = Math.min(entries.size(), list.size());
        int same = 0;
        while (same < most && entries.get(same) == list.get(same)) {
            same++;
        }
        boolean areObjects = same > 0 && begin >= 0 && document[begin] == '{' && document[ends[same - 1] - 1] == '}';
        return areObjects ? same : 0;
    }

    /** The bytes of the first entries, at least one, with what separates them. */
    ByteBuffer first(int count, byte[] document) {
        return ByteBuffer.wrap(document, begin, ends[count - 1] - begin);
    }

    /** Adds the first entries of another document, which stand here at another place in the same bytes. */
    void addFirst(int count, LocatedEntries other, int newBegin) {
        for (int i = 0; i < count; i++) {
            add(other.entries.get(i), newBegin, newBegin + other.ends[i] - other.begin);
        }
    }
}
