package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.Merger.Merge;
import io.formacdc.core.Merger.Source;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link Merger} must do with rows that are nothing but their versions. */
public abstract class MergerContract {
    /**
     * A version of the n-th row.
     *
     * @param deletedAt 0 for a live one
     */
    public record Row(long n, long changedAt, long deletedAt) {}

    /** Whose rows the sources hold. */
    protected static final int SCHEMA = 7;

    private Merge merge;

    protected abstract Merger merger();

    /** A source in the folder of a merge, with these rows. */
    protected abstract Source source(Merge ofMerge, String key, List<Row> rows);

    /** The rows of a file, in the order of the file. */
    protected abstract List<Row> read(LocalFile file);

    /** The id of the n-th row. */
    protected static UUID id(long n) {
        return new UUID(0, n);
    }

    @BeforeEach
    void open() {
        merge = merger().open(SCHEMA);
    }

    @AfterEach
    void close() {
        merge.close();
        assertThat(merge.folder()).doesNotExist();
    }

    private Source source(String key, Row... rows) {
        Source source = source(merge, key, List.of(rows));
        assertThat(merge.check(source)).isEqualTo(rows.length);
        return source;
    }

    private void loose(String key, Row... rows) {
        merge.addLoose(source(key, rows));
    }

    private static RowIdInterval interval(long after, long upTo) {
        return new RowIdInterval(id(after), id(upTo));
    }

    private List<Row> base(RowIdInterval interval, List<Source> bases) {
        return merge.writeBase(interval, bases, 1, rows -> {}).stream()
                .flatMap(file -> read(file).stream())
                .toList();
    }

    @Test
    void theNewestVersionOfEachRowMakesTheBaseAndTombstonesDoNot() {
        loose("a", new Row(1, 10, 0), new Row(2, 11, 0));
        loose("b", new Row(1, 12, 0), new Row(2, 13, 13), new Row(3, 5, 0));
        Source base = source("base", new Row(1, 1, 0), new Row(3, 6, 0), new Row(4, 2, 0));
        assertThat(base(RowIdInterval.ALL, List.of(base)))
                .containsExactly(new Row(1, 12, 0), new Row(3, 6, 0), new Row(4, 2, 0));
    }

    @Test
    void ofEqualVersionsTheTombstoneWins() {
        loose("a", new Row(1, 10, 0));
        loose("b", new Row(1, 10, 10));
        assertThat(base(RowIdInterval.ALL, List.of())).isEmpty();
    }

    @Test
    void nothingAliveMakesOneFileWithoutRows() {
        loose("a", new Row(1, 10, 10));
        assertThat(merge.writeBase(RowIdInterval.ALL, List.of(), 3, rows -> {}))
                .singleElement()
                .satisfies(file -> assertThat(file.contents().rowCount()).isZero());
    }

    @Test
    void aDeltaKeepsTombstonesAndTakesOnlyNamedSourcesOutsideOfTheIntervals() {
        loose("a", new Row(1, 10, 10), new Row(2, 11, 0), new Row(5, 12, 0));
        loose("b", new Row(2, 13, 0), new Row(6, 14, 14));
        loose("c", new Row(7, 15, 0));
        List<LocalFile> files = merge.writeDelta(Set.of("a", "b"), List.of(interval(4, 5)), 1);
        assertThat(files)
                .singleElement()
                .satisfies(file -> assertThat(read(file))
                        .containsExactly(new Row(1, 10, 10), new Row(2, 13, 0), new Row(6, 14, 14)));
        assertThat(merge.writeDelta(Set.of("c"), List.of(RowIdInterval.ALL), 1)).isEmpty();
    }

    @Test
    void looseRowsAreCountedByIntervalAndSource() {
        loose("a", new Row(1, 10, 0), new Row(2, 11, 0), new Row(9, 12, 0));
        loose("b", new Row(2, 13, 13));
        assertThat(merge.looseRowsIn(List.of(interval(0, 4), interval(4, 8), RowIdInterval.ALL)))
                .containsExactly(
                        new LooseRows(2, 1, Map.of("a", 2L, "b", 1L)),
                        new LooseRows(0, 0, Map.of()),
                        new LooseRows(3, 2, Map.of("a", 3L, "b", 1L)));
    }

    @Test
    void aBaseWithARowOutsideOfItsIntervalIsRefused() {
        Source base = source("base", new Row(1, 1, 0), new Row(8, 1, 0));
        assertThatThrownBy(() -> base(interval(0, 4), List.of(base))).isInstanceOf(CdcException.class);
    }

    @Test
    void whateverTheSourcesWhatIsWrittenIsTheFoldOfAllVersions() {
        Random random = new Random(41);
        for (int round = 0; round < 15; round++) {
            try (Merge another = merger().open(SCHEMA)) {
                TreeMap<Long, Row> winners = new TreeMap<>();
                Comparator<Row> order = Comparator.comparingLong(Row::changedAt).thenComparingLong(Row::deletedAt);
                for (int file = 0; file < 4; file++) {
                    Map<Long, Row> rows = new LinkedHashMap<>();
                    for (int i = 0; i < 12; i++) {
                        long n = 1L + random.nextInt(20);
                        long version = 1L + random.nextInt(6);
                        rows.put(n, new Row(n, version, random.nextInt(3) == 0 ? version : 0));
                    }
                    List<Row> sorted = rows.values().stream()
                            .sorted(Comparator.comparingLong(Row::n))
                            .toList();
                    another.addLoose(source(another, "f" + file, sorted));
                    sorted.forEach(row -> winners.merge(row.n(), row, (a, b) -> order.compare(a, b) >= 0 ? a : b));
                }
                List<Row> live = winners.values().stream()
                        .filter(row -> row.deletedAt() == 0)
                        .toList();
                assertThat(all(another.writeBase(RowIdInterval.ALL, List.of(), 3, rows -> {})))
                        .as("round %d", round)
                        .isEqualTo(live);
                assertThat(all(another.writeDelta(Set.of("f0", "f1", "f2", "f3"), List.of(), 2)))
                        .as("round %d", round)
                        .isEqualTo(List.copyOf(winners.values()));
            }
        }
    }

    private List<Row> all(List<LocalFile> files) {
        List<Row> rows = new ArrayList<>();
        for (LocalFile file : files) {
            List<Row> ofFile = read(file);
            assertThat(file.contents().rowCount()).isEqualTo(ofFile.size());
            rows.addAll(ofFile);
        }
        return rows;
    }
}
