package io.formacdc.duckdb;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A Parquet file that can be merged, as its footer tells it. Immutable.
 *
 * @param key of the object, for messages
 * @param rawBytes of all columns, before compression
 * @param newestMillis greatest {@code changed_at}; {@link Long#MIN_VALUE} without rows
 * @param columns in the order of the file
 */
record MergeSource(String key, Path path, long rows, long rawBytes, long newestMillis, List<Column> columns) {
    static final Comparator<MergeSource> NEWEST_FIRST =
            Comparator.comparingLong(MergeSource::newestMillis).reversed().thenComparing(MergeSource::key);

    MergeSource {
        columns = List.copyOf(columns);
    }

    /**
     * A column.
     *
     * @param type by its name in DuckDB's SQL
     */
    record Column(String name, String type, FieldIds fieldIds) {
        /** DuckDB takes names for equal whose ASCII letters differ in case alone. */
        static String fold(String name) {
            StringBuilder folded = new StringBuilder(name);
            for (int i = 0; i < folded.length(); i++) {
                char c = folded.charAt(i);
                if (c >= 'A' && c <= 'Z') {
                    folded.setCharAt(i, (char) (c + ('a' - 'A')));
                }
            }
            return folded.toString();
        }

        String folded() {
            return fold(name);
        }
    }

    /** By folded name. */
    Map<String, Column> byName() {
        return columns.stream().collect(Collectors.toMap(Column::folded, Function.identity()));
    }

    /** Type by folded name; equal for files of one generation. */
    Map<String, String> generation() {
        return columns.stream().collect(Collectors.toMap(Column::folded, Column::type));
    }

    /** Average, before compression; at least 1. */
    static long rowBytes(Iterable<MergeSource> sources) {
        long rows = 0;
        long bytes = 0;
        for (MergeSource source : sources) {
            rows += source.rows();
            bytes += source.rawBytes();
        }
        return rows == 0 ? 1 : Math.max(1, bytes / rows);
    }

    /** What a type is made of: values of unequal kinds cannot stand in one column. */
    enum Kind {
        SCALAR,
        LIST,
        STRUCT,
        MAP;

        static Kind of(String type) {
            String upper = type.toUpperCase(Locale.ROOT);
            if (upper.endsWith("]")) {
                return LIST;
            }
            return upper.startsWith("STRUCT(") ? STRUCT : upper.startsWith("MAP(") ? MAP : SCALAR;
        }
    }
}
