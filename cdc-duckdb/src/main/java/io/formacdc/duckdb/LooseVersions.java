package io.formacdc.duckdb;

import io.formacdc.core.Merger;
import io.formacdc.core.RowIdInterval;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The row ids and versions of the loose sources, in tables of the merge's DuckDB, where they can spill. Not thread-safe.
 */
final class LooseVersions {
    /** Of two versions of a row the one that comes first wins; a live row may say so by 0 or, in old files, by NULL. */
    private static final String NEWEST_FIRST =
            "changed_at DESC, coalesce(deleted_at, -1) DESC, source DESC, row_number DESC";

    /** Of {@code source, row_number, row_id, changed_at, deleted_at, newest}, once they are ranked. */
    static final String TABLE = "loose_ranked";

    private final List<MergeSource> sources = new ArrayList<>();
    private boolean ranked;

    /** The number of a source is its place here. */
    List<MergeSource> sources() {
        return sources;
    }

    /** @throws IllegalStateException if the rows have been ranked already */
    void add(DuckStatements statements, MergeSource source) {
        if (ranked) {
            throw new IllegalStateException("loose sources must be added before anything is asked or written");
        }
        statements.execute("CREATE TABLE IF NOT EXISTS loose (source INTEGER, row_number BIGINT, row_id UUID,"
                + " changed_at BIGINT, deleted_at BIGINT)");
        statements.execute("INSERT INTO loose " + keys(source, sources.size(), RowIdInterval.ALL));
        sources.add(source);
    }

    /** Row ids and versions of a source's rows in an interval, with the number that it is given here. */
    static String keys(MergeSource source, int number, RowIdInterval interval) {
        return "SELECT " + number + "::INTEGER AS source, file_row_number AS row_number, row_id, changed_at, deleted_at"
                + " FROM "
                + ReadParquet.of(ExportSql.literal(source.path().toString()), "file_row_number = true") + " WHERE "
                + inInterval("row_id", interval);
    }

    /** A condition that reads of a file sorted by row id what it must. */
    static String inInterval(String column, RowIdInterval interval) {
        return (interval.after() == null ? "true" : column + " > '" + interval.after() + "'::UUID")
                + (interval.upTo() == null ? "" : " AND " + column + " <= '" + interval.upTo() + "'::UUID");
    }

    /** Decides, once, which version of each row is the newest. */
    void rank(DuckStatements statements) {
        if (ranked) {
            return;
        }
        statements.execute(
                sources.isEmpty()
                        ? "CREATE TABLE " + TABLE + " (source INTEGER, row_number BIGINT, row_id UUID,"
                                + " changed_at BIGINT, deleted_at BIGINT, newest BOOLEAN)"
                        : "CREATE OR REPLACE TABLE " + TABLE + " AS SELECT *, row_number() OVER (PARTITION BY row_id"
                                + " ORDER BY " + NEWEST_FIRST + ") = 1 AS newest FROM loose");
        ranked = true;
        if (!sources.isEmpty()) {
            statements.execute("DROP TABLE loose");
        }
    }

    /** Rows of a source in a piece of the row ids. */
    private record Count(String key, long rows, long newest, long newestLive) {}

    List<Merger.LooseRows> rowsIn(DuckStatements statements, List<RowIdInterval> intervals) {
        RowIdSegments segments = RowIdSegments.of(intervals);
        Map<Integer, List<Count>> counts = statements.query(
                "SELECT segment, source, count(*), count(*) FILTER (newest), count(*) FILTER (newest AND"
                        + " coalesce(deleted_at, 0) <= 0) FROM (" + segments.select(TABLE) + ") GROUP BY ALL",
                result -> {
                    Map<Integer, List<Count>> bySegment = new HashMap<>();
                    while (result.next()) {
                        Count count = new Count(
                                sources.get(result.getInt(2)).key(),
                                result.getLong(3),
                                result.getLong(4),
                                result.getLong(5));
                        bySegment
                                .computeIfAbsent(result.getInt(1), n -> new ArrayList<>())
                                .add(count);
                    }
                    return bySegment;
                });
        return intervals.stream()
                .map(interval -> sum(segments.of(interval)
                        .mapToObj(n -> counts.getOrDefault(n, List.of()))
                        .flatMap(List::stream)
                        .toList()))
                .toList();
    }

    private static Merger.LooseRows sum(List<Count> counts) {
        return new Merger.LooseRows(
                counts.stream().mapToLong(Count::newest).sum(),
                counts.stream().mapToLong(Count::newestLive).sum(),
                counts.stream().collect(Collectors.groupingBy(Count::key, Collectors.summingLong(Count::rows))));
    }

    /** Sources by number. */
    SortedMap<Integer, MergeSource> numbered(Set<String> keys) {
        SortedMap<Integer, MergeSource> numbered = new TreeMap<>();
        for (int i = 0; i < sources.size(); i++) {
            if (keys.contains(sources.get(i).key())) {
                numbered.put(i, sources.get(i));
            }
        }
        return numbered;
    }

    /** Selects the newest versions among some sources alone, outside the intervals. */
    static String newestOf(Set<Integer> numbers, List<RowIdInterval> without) {
        String rows = "(SELECT * FROM " + TABLE + " WHERE source IN (" + join(numbers) + "))";
        RowIdSegments segments = RowIdSegments.of(without);
        Set<Integer> covered =
                segments.covered(without).stream().boxed().collect(Collectors.toCollection(TreeSet::new));
        return "SELECT source, row_number, row_id FROM (SELECT *, row_number() OVER (PARTITION BY row_id ORDER BY "
                + NEWEST_FIRST + ") AS place FROM (" + segments.select(rows) + ")"
                + (covered.isEmpty() ? "" : " WHERE segment NOT IN (" + join(covered) + ")") + ") WHERE place = 1";
    }

    private static String join(Set<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}
