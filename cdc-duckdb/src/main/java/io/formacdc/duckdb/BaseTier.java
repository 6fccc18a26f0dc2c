package io.formacdc.duckdb;

import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.RowIdInterval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The true bounds of a schema's base files, which must not overlap. Confined to a thread. */
final class BaseTier {
    private record BaseFile(String key, RowIdRange rowIds) {}

    private final List<BaseFile> files = new ArrayList<>();

    void add(String key, RowIdRange rowIds) {
        files.add(new BaseFile(key, rowIds));
    }

    /** By key of each file that begins before one before it ends, the key of the one that reaches farthest of those. */
    Map<String, String> overlaps() {
        files.sort(Comparator.comparing(file -> file.rowIds().min(), RowIdInterval.BYTE_ORDER));
        Map<String, String> overlaps = new LinkedHashMap<>();
        @Nullable BaseFile farthest = null;
        for (BaseFile file : files) {
            if (farthest != null
                    && RowIdInterval.BYTE_ORDER.compare(
                                    file.rowIds().min(), farthest.rowIds().max())
                            <= 0) {
                overlaps.put(file.key(), farthest.key());
            }
            if (farthest == null
                    || RowIdInterval.BYTE_ORDER.compare(
                                    file.rowIds().max(), farthest.rowIds().max())
                            > 0) {
                farthest = file;
            }
        }
        return overlaps;
    }
}
