package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random merges of few row ids, so that all kinds of versions meet, against maps. */
class MergeModelIT {
    private static final int MERGES = 50;
    private static final int ROW_IDS = 12;

    @TempDir
    Path spill;

    /** A row as a source holds it; of equal versions the texts are equal, but for those of bases, which win. */
    private record Row(int n, long changedAt, @Nullable Long deletedAt, String text) {
        boolean isLive() {
            return deletedAt == null || deletedAt == 0;
        }

        long deletedOrLess() {
            return deletedAt == null ? -1 : deletedAt;
        }

        String sql() {
            return n + ", " + changedAt + ", " + deletedAt + ", '" + text + "'";
        }

        String written() {
            return n + "@" + changedAt + (isLive() ? "" : "-" + deletedAt) + " " + text;
        }
    }

    private static final Comparator<Row> VERSION =
            Comparator.comparingLong(Row::changedAt).thenComparingLong(Row::deletedOrLess);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void everyMergeEqualsTheModel(long seed) throws SQLException {
        Random random = new Random(seed);
        for (int i = 0; i < MERGES; i++) {
            try (TestMerge test = new TestMerge(TestMerge.config(spill).build())) {
                Map<String, List<Row>> loose = looseSources(random);
                for (Map.Entry<String, List<Row>> source : loose.entrySet()) {
                    test.loose(source.getKey(), rows(source.getValue()));
                }
                compare(random, test, loose);
            }
        }
    }

    private static void compare(Random random, TestMerge test, Map<String, List<Row>> loose) throws SQLException {
        List<RowIdInterval> intervals = intervals(random);
        assertThat(test.merge.looseRowsIn(intervals))
                .isEqualTo(intervals.stream().map(i -> counted(loose, i)).toList());
        Map<RowIdInterval, List<Row>> bases = new LinkedHashMap<>();
        for (RowIdInterval interval : intervals) {
            List<Row> base = new ArrayList<>();
            for (int n = 1; n <= ROW_IDS; n++) {
                if (interval.contains(TestMerge.id(n)) && random.nextInt(3) > 0) {
                    base.add(row(random, n, "base"));
                }
            }
            bases.put(interval, base);
        }
        for (Map.Entry<RowIdInterval, List<Row>> base : bases.entrySet()) {
            compareBase(random, test, loose, base.getKey(), base.getValue());
        }
        Set<String> keys = new HashSet<>(loose.keySet());
        keys.removeIf(key -> random.nextInt(3) == 0);
        List<RowIdInterval> without = intervals.subList(0, random.nextInt(intervals.size() + 1));
        Map<Integer, Row> expected = newest(loose, keys::contains);
        expected.keySet().removeIf(n -> without.stream().anyMatch(i -> i.contains(TestMerge.id(n))));
        int files = 1 + random.nextInt(3);
        List<LocalFile> delta = test.merge.writeDelta(keys, without, files);
        assertThat(delta).hasSizeBetween(expected.isEmpty() ? 0 : 1, expected.isEmpty() ? 0 : files);
        assertThat(versions(test, delta))
                .isEqualTo(expected.values().stream().map(Row::written).toList());
    }

    private static void compareBase(
            Random random, TestMerge test, Map<String, List<Row>> loose, RowIdInterval interval, List<Row> base)
            throws SQLException {
        Map<Integer, Row> expected = newest(loose, key -> true);
        expected.keySet().removeIf(n -> !interval.contains(TestMerge.id(n)));
        base.forEach(row -> expected.merge(row.n(), row, (l, b) -> VERSION.compare(l, b) > 0 ? l : b));
        expected.values().removeIf(row -> !row.isLive());
        int cut = random.nextInt(base.size() + 1);
        Source one = test.file("one", rows(base.subList(0, cut)));
        Source other = test.file("other", rows(base.subList(cut, base.size())));
        int files = 1 + random.nextInt(3);
        List<LocalFile> written = test.writeBase(interval, files, one, other);
        assertThat(written).hasSizeBetween(1, files);
        assertThat(versions(test, written))
                .isEqualTo(expected.values().stream().map(Row::written).toList());
    }

    /** Of all files in their order; each must tell its own bounds. */
    private static List<String> versions(TestMerge test, List<LocalFile> files) throws SQLException {
        List<String> versions = new ArrayList<>();
        for (LocalFile file : files) {
            List<String> inFile = test.versions(file);
            RowIdRange range = file.contents().rowIds();
            if (range != null) {
                assertThat(inFile.get(0)).startsWith(range.min().getLeastSignificantBits() + "@");
                assertThat(inFile.get(inFile.size() - 1)).startsWith(range.max().getLeastSignificantBits() + "@");
            }
            assertThat(file.contents().rowCount()).isEqualTo(inFile.size());
            versions.addAll(inFile);
        }
        return versions;
    }

    private static Map<Integer, Row> newest(Map<String, List<Row>> loose, Predicate<String> keys) {
        Map<Integer, Row> newest = new TreeMap<>();
        loose.forEach((key, rows) -> {
            if (keys.test(key)) {
                rows.forEach(row -> newest.merge(row.n(), row, (a, b) -> VERSION.compare(a, b) >= 0 ? a : b));
            }
        });
        return newest;
    }

    private static LooseRows counted(Map<String, List<Row>> loose, RowIdInterval interval) {
        Map<String, Long> bySource = new HashMap<>();
        loose.forEach((key, rows) -> {
            long inside = rows.stream()
                    .filter(row -> interval.contains(TestMerge.id(row.n())))
                    .count();
            if (inside > 0) {
                bySource.put(key, inside);
            }
        });
        Map<Integer, Row> newest = newest(loose, key -> true);
        newest.keySet().removeIf(n -> !interval.contains(TestMerge.id(n)));
        return new LooseRows(
                newest.size(), newest.values().stream().filter(Row::isLive).count(), bySource);
    }

    private static Map<String, List<Row>> looseSources(Random random) {
        Map<String, List<Row>> sources = new LinkedHashMap<>();
        int count = random.nextInt(5);
        for (int s = 0; s < count; s++) {
            List<Row> rows = new ArrayList<>();
            int size = random.nextInt(12);
            for (int r = 0; r < size; r++) {
                rows.add(row(random, 1 + random.nextInt(ROW_IDS), "loose"));
            }
            sources.put("d" + s, rows);
        }
        return sources;
    }

    private static Row row(Random random, int n, String where) {
        long changedAt = random.nextLong(1, 5);
        Long deletedAt = List.of(0L, 0L, 0L, -1L, 5L, 6L).get(random.nextInt(6));
        Long orNull = deletedAt < 0 ? null : deletedAt;
        return new Row(n, changedAt, orNull, where + n + "/" + changedAt + "/" + orNull);
    }

    private static List<RowIdInterval> intervals(Random random) {
        List<Integer> cuts = random.ints(random.nextInt(4), 0, ROW_IDS + 2)
                .distinct()
                .sorted()
                .boxed()
                .toList();
        return RowIdInterval.pieces(null, null, cuts.stream().map(TestMerge::id).toList());
    }

    private static String[] rows(List<Row> rows) {
        return rows.stream().map(Row::sql).toArray(String[]::new);
    }
}
