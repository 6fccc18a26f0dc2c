package io.formacdc.duckdb;

import static io.formacdc.duckdb.TestMerge.id;
import static io.formacdc.duckdb.TestMerge.interval;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileContents;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DuckMergerIT {
    @TempDir
    Path spill;

    private TestMerge test;

    @BeforeEach
    void open() throws SQLException {
        test = new TestMerge(TestMerge.config(spill).build());
    }

    @AfterEach
    void close() throws SQLException, IOException {
        test.close();
        try (Stream<Path> left = Files.list(spill)) {
            assertThat(left).isEmpty();
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("forma-cdc"));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "'5, 0', '6, 0', loose",
                "'6, 0', '5, 0', base",
                "'5, 0', '5, 0', base",
                "'5, NULL', '5, 0', loose",
                "'5, 0', '5, NULL', base",
                "'5, NULL', '5, NULL', base",
                "'5, 0', '5, 9', -",
                "'5, NULL', '5, 9', -",
                "'5, 9', '5, 0', -",
                "'5, 9', '5, 10', -",
                "'5, 0', '6, 9', -",
                "'6, 0', '5, 9', base",
                "'5, 9', '6, 0', loose",
                "'5, 9', '4, 0', -",
            })
    void ofABaseRowAndALooseOneTheNewerWinsAndOfEqualOnesTheTombstone(String base, String loose, String winner)
            throws SQLException {
        test.loose("d", "1, " + loose + ", 'loose'");
        Source file = test.file("b", "1, " + base + ", 'base'");
        assertThat(test.rows("v, deleted_at", test.writeBase(file)))
                .isEqualTo(winner == null ? List.of() : List.of(List.of(winner, "0")));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "'5, 0', '6, 0', b",
                "'6, 0', '5, 0', a",
                "'5, 9', '5, 0', -",
                "'5, 0', '5, 9', -",
                "'5, NULL', '5, 0', b",
                "'5, 0', '5, NULL', a",
                "'5, 0', '6, 9', -",
                "'6, 0', '5, 9', a",
            })
    void ofTwoLooseRowsTheNewerWinsAndOfEqualOnesTheTombstone(String a, String b, String winner) throws SQLException {
        test.loose("a", "1, " + a + ", 'a'");
        test.loose("b", "1, " + b + ", 'b'");
        assertThat(test.rows("v, deleted_at", test.writeBase()))
                .isEqualTo(winner == null ? List.of() : List.of(List.of(winner, "0")));
    }

    @Test
    void equalVersionsMakeOneRow() throws SQLException {
        test.loose("a", "1, 5, 0, 'same'", "1, 5, 0, 'same'", "2, 5, NULL, 'n'", "2, 5, NULL, 'n'");
        test.loose("b", "1, 5, 0, 'same'", "3, 5, 8, NULL", "3, 5, 8, NULL");
        assertThat(test.versions(test.writeBase(test.file("base", "2, 4, 0, 'old'"))))
                .containsExactly("1@5 same", "2@5 n");
        List<LocalFile> delta = test.merge.writeDelta(Set.of("a", "b"), List.of(), 1);
        assertThat(test.versions(delta.get(0))).containsExactly("1@5 same", "2@5 n", "3@5-8 null");
    }

    @Test
    void aBaseKeepsWhatNothingIsSaidOfAndLosesItsOwnTombstones() throws SQLException {
        test.loose("d", "2, 9, 0, 'new'", "4, 9, 9, NULL", "6, 1, 7, NULL");
        Source base = test.file(
                "b", "1, 1, 0, 'one'", "2, 1, 0, 'two'", "3, 1, 3, NULL", "4, 1, 0, 'four'", "5, 1, NULL, 'five'");
        assertThat(test.versions(test.writeBase(base))).containsExactly("1@1 one", "2@9 new", "5@1 five");
    }

    @Test
    void everyValueIsKeptAsItIs() throws SQLException {
        String values = "'' AS empty, NULL::VARCHAR AS none, 'größe 😀' || chr(0) || 'x' AS texts,"
                + " (-32768)::SMALLINT AS small, 2147483647::INTEGER AS i, 9223372036854775807::BIGINT AS big,"
                + " 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS inf, -0.0::DOUBLE AS negative_zero, 5e-324::DOUBLE AS tiny,"
                + " true AS flag, NULL::BOOLEAN AS no_flag, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID AS id,"
                + " []::VARCHAR[] AS empty_list, NULL::VARCHAR[] AS no_list, [NULL, '', 'a']::VARCHAR[] AS texts_list,"
                + " ['nan'::DOUBLE, 1.5]::DOUBLE[] AS numbers, [true, NULL]::BOOLEAN[] AS flags,"
                + " [{'attr_id': 3::SMALLINT, 'array_indices': '', 'value_text': NULL::VARCHAR, 'value_numeric': 0.1::DOUBLE},"
                + " {'attr_id': 4::SMALLINT, 'array_indices': '0', 'value_text': '', 'value_numeric': NULL::DOUBLE}, NULL]"
                + " AS attributes";
        String from = " FROM (SELECT range AS n, 10 + range AS changed_at, 0 AS deleted_at FROM range(%d, %d))";
        test.merge.addLoose(test.query("d", "SELECT " + TestMerge.SYSTEM + ", " + values + from.formatted(1, 3), ""));
        Source base = test.query("b", "SELECT " + TestMerge.SYSTEM + ", " + values + from.formatted(3, 5), "");
        LocalFile written = test.writeBase(base);
        LocalFile delta = test.merge.writeDelta(Set.of("d"), List.of(), 1).get(0);
        String expected = "SELECT " + TestMerge.SYSTEM + ", " + values + from;
        assertSame(expected.formatted(1, 5), written);
        assertSame(expected.formatted(1, 3), delta);
    }

    /** Text for NaN and -0.0, which compare as DuckDB likes; the comparison by value says what text does not. */
    private void assertSame(String expected, LocalFile file) throws SQLException {
        assertThat(TestHost.rows(test.duckDb, "(" + expected + ") EXCEPT ALL FROM " + TestMerge.from(file)))
                .isEmpty();
        assertThat(test.rows("*", file)).isEqualTo(TestHost.rows(test.duckDb, expected + " ORDER BY row_id"));
        assertThat(test.columns(file)).containsExactlyEntriesOf(file.contents().columns());
        assertThat(test.columns(file).values())
                .containsExactlyElementsOf(
                        TestHost.column(test.duckDb, "SELECT column_type FROM (DESCRIBE " + expected + ")"));
    }

    @Test
    void contentsSayWhatIsInTheFile() throws Exception {
        test.loose("d", "3, 30, 0, 'c'", "1, 50, 0, 'a'", "9, 99, 9, NULL");
        LocalFile file = test.writeBase(test.file("b", "2, 20, 0, 'b'"));
        byte[] bytes = Files.readAllBytes(file.path());
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        assertThat(file.contents())
                .isEqualTo(new FileContents(
                        3,
                        bytes.length,
                        "sha256:" + sha256,
                        new FileContents.RowIdRange(id(1), id(3)),
                        new FileContents.VersionRange(20, 50),
                        test.columns(file)));
        assertThat(file.path().getParent()).isEqualTo(test.merge.folder());
        assertThat(TestHost.column(
                        test.duckDb, "SELECT DISTINCT compression FROM parquet_metadata('" + file.path() + "')"))
                .containsExactly("ZSTD");
        assertThat(TestHost.column(
                        test.duckDb, "SELECT format_version FROM parquet_file_metadata('" + file.path() + "')"))
                .containsExactly("2");
    }

    @Test
    void nothingAliveMakesOneFileWithoutRows() throws SQLException {
        test.loose("d", "1, 9, 9, NULL");
        List<LocalFile> files = test.writeBase(RowIdInterval.ALL, 4, test.file("b", "1, 1, 0, 'a'"));
        assertThat(files).hasSize(1);
        assertThat(files.get(0).contents().rowCount()).isZero();
        assertThat(files.get(0).contents().rowIds()).isNull();
        assertThat(files.get(0).contents().versions()).isNull();
        assertThat(test.columns(files.get(0)).keySet())
                .containsExactly(
                        "schema_id",
                        "row_id",
                        "changed_at",
                        "deleted_at",
                        "ltbase_created_at",
                        "ltbase_updated_at",
                        "ltbase_deleted_at",
                        "v");
    }

    @Test
    void noSourcesAtAllMakeOneFileWithTheSystemColumns() throws SQLException {
        LocalFile file = test.writeBase();
        assertThat(file.contents().rowCount()).isZero();
        assertThat(test.columns(file))
                .containsEntry("row_id", "UUID")
                .containsEntry("schema_id", "SMALLINT")
                .hasSize(7);
        assertThat(test.merge.writeDelta(Set.of(), List.of(), 3)).isEmpty();
        assertThat(test.merge.looseRowsIn(List.of(RowIdInterval.ALL))).containsExactly(new LooseRows(0, 0, Map.of()));
    }

    @Test
    void sourcesWithoutRowsAreMergedLikeOthers() throws SQLException {
        test.loose("empty");
        test.loose("d", "2, 2, 0, 'b'");
        assertThat(test.versions(test.writeBase(test.file("none"), test.file("b", "1, 1, 0, 'a'"))))
                .containsExactly("1@1 a", "2@2 b");
        assertThat(test.merge.writeDelta(Set.of("empty"), List.of(), 1)).isEmpty();
    }

    @Test
    void anIntervalTakesWhatLiesBetweenItsBoundsAlone() throws SQLException {
        test.loose("d", "1, 2, 0, 'd'", "3, 2, 0, 'd'", "5, 2, 0, 'd'", "6, 2, 0, 'd'");
        Source base = test.file("b", "4, 1, 0, 'b'", "5, 1, 0, 'b'");
        List<LocalFile> files = test.writeBase(interval(1L, 5L), 1, base);
        assertThat(test.versions(files.get(0))).containsExactly("3@2 d", "4@1 b", "5@2 d");
    }

    @Test
    void filesAreDisjointInOrderSortedAndOfAboutEqualSize() throws Exception {
        String rows = "SELECT 7::SMALLINT AS schema_id, md5(i::VARCHAR)::UUID AS row_id, i AS changed_at,"
                + " 0::BIGINT AS deleted_at, i AS ltbase_created_at, i::VARCHAR AS v FROM range(%d, %d) t(i)";
        Source base = test.query("b", rows.formatted(0, 300_000), "");
        test.merge.addLoose(test.query("d1", rows.formatted(250_000, 350_000), ""));
        test.merge.addLoose(test.query("d2", rows.formatted(350_000, 400_000), ""));
        List<Long> progress = new ArrayList<>();
        List<LocalFile> files = test.merge.writeBase(RowIdInterval.ALL, List.of(base), 5, progress::add);
        List<LocalFile> deltas = test.merge.writeDelta(Set.of("d1", "d2"), List.of(), 3);

        assertThat(progress).hasSize(5).isSorted().endsWith(400_000L);
        assertDisjointInOrder(files, 5, 400_000);
        assertDisjointInOrder(deltas, 3, 150_000);
        for (LocalFile file : files) {
            assertThat(TestHost.column(
                            test.duckDb,
                            "SELECT count(*) FROM (SELECT row_id, lag(row_id) OVER (ORDER BY file_row_number) AS before"
                                    + " FROM read_parquet('" + file.path()
                                    + "', file_row_number = true)) WHERE before >= row_id"))
                    .containsExactly("0");
        }
        assertThat(TestHost.column(
                        test.duckDb,
                        "SELECT count(DISTINCT row_id) || ' ' || sum(v::BIGINT) FROM read_parquet("
                                + files.stream().map(f -> "'" + f.path() + "'").toList() + ")"))
                .containsExactly("400000 " + 400_000L * 399_999 / 2);
    }

    private static void assertDisjointInOrder(List<LocalFile> files, int count, long rows) {
        assertThat(files).hasSize(count);
        UUID last = null;
        for (LocalFile file : files) {
            FileContents.RowIdRange range =
                    Objects.requireNonNull(file.contents().rowIds());
            assertThat(last == null || RowIdInterval.BYTE_ORDER.compare(last, range.min()) < 0)
                    .isTrue();
            last = range.max();
            assertThat(file.contents().rowCount()).isBetween(rows * 9 / 10 / count, rows * 11 / 10 / count);
        }
        assertThat(files.stream().mapToLong(f -> f.contents().rowCount()).sum()).isEqualTo(rows);
    }

    @Test
    void fewRowsMakeFewFiles() throws SQLException {
        test.loose("d", "1, 1, 0, 'a'", "2, 1, 0, 'b'", "3, 1, 3, NULL");
        assertThat(test.writeBase(RowIdInterval.ALL, 9)).hasSize(2);
        assertThat(test.merge.writeDelta(Set.of("d"), List.of(), 9)).hasSize(3);
    }

    @Test
    void deltasKeepTombstonesAndTakeTheNewestOfTheirKeysAlone() throws SQLException {
        test.loose("a", "1, 1, 0, 'a1'", "2, 5, 55, NULL", "3, 3, NULL, 'a3'");
        test.loose("b", "1, 2, 0, 'b1'", "2, 4, 0, 'b2'");
        test.loose("c", "1, 9, 0, 'c1'", "2, 9, 0, 'c2'");
        LocalFile delta = test.merge.writeDelta(Set.of("a", "b"), List.of(), 1).get(0);
        assertThat(test.versions(delta)).containsExactly("1@2 b1", "2@5-55 null", "3@3 a3");
        assertThat(delta.contents().rowCount()).isEqualTo(3);
        assertThatThrownBy(() -> test.merge.writeDelta(Set.of("a", "x"), List.of(), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("never added as loose sources: [x]");
    }

    @Test
    void deltasLeaveOutIntervals() throws SQLException {
        test.loose("d", "1, 1, 0, 'a'", "2, 1, 0, 'b'", "3, 1, 0, 'c'", "4, 1, 0, 'd'", "5, 1, 0, 'e'");
        List<RowIdInterval> without = List.of(interval(1L, 2L), interval(1L, 3L), interval(4L, null));
        assertThat(test.versions(test.merge.writeDelta(Set.of("d"), without, 1).get(0)))
                .containsExactly("1@1 a", "4@1 d");
        assertThat(test.merge.writeDelta(Set.of("d"), List.of(RowIdInterval.ALL), 1))
                .isEmpty();
    }

    @Test
    void looseRowsAreCountedByIntervalAndSource() throws SQLException {
        test.loose("a", "1, 1, 0, 'a'", "2, 1, 0, 'a'", "2, 2, 0, 'a'", "5, 1, 0, 'a'");
        test.loose("b", "2, 3, 3, NULL", "3, 1, 0, 'b'", "5, 1, NULL, 'b'");
        assertThat(test.merge.looseRowsIn(List.of(
                        interval(null, 1L),
                        interval(1L, 3L),
                        interval(2L, null),
                        interval(3L, 4L),
                        RowIdInterval.ALL,
                        interval(0L, 2L))))
                .containsExactly(
                        new LooseRows(1, 1, Map.of("a", 1L)),
                        new LooseRows(2, 1, Map.of("a", 2L, "b", 2L)),
                        new LooseRows(2, 2, Map.of("a", 1L, "b", 2L)),
                        new LooseRows(0, 0, Map.of()),
                        new LooseRows(4, 3, Map.of("a", 4L, "b", 3L)),
                        new LooseRows(2, 1, Map.of("a", 3L, "b", 1L)));
        assertThatThrownBy(() -> test.merge.addLoose(test.file("late", "1, 1, 0, 'a'")))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theHostsDatabaseFileIsLeftAlone() throws Exception {
        Path database = Files.createDirectory(spill.resolve("db")).resolve("host.duckdb");
        try (TestMerge other = new TestMerge(
                TestMerge.config(spill).duckDbPath(database.toString()).build())) {
            other.loose("d", "1, 1, 0, 'a'");
            assertThat(other.versions(other.writeBase())).containsExactly("1@1 a");
        }
        assertThat(database).doesNotExist();
        Files.delete(database.getParent());
    }

    @Test
    void severalThreadsMayWriteAtOnce() throws Exception {
        String rows =
                "SELECT 7::SMALLINT AS schema_id, lpad(hex(i), 32, '0')::UUID AS row_id, %d::BIGINT AS changed_at,"
                        + " 0::BIGINT AS deleted_at, i AS ltbase_created_at, '%s' AS v FROM range(%d, %d, %d) t(i)";
        test.merge.addLoose(test.query("d", rows.formatted(2, "d", 0, 8000, 2), ""));
        List<Thread> threads = new ArrayList<>();
        List<LocalFile> files = Collections.synchronizedList(new ArrayList<>());
        List<Object> results = Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < 8; t++) {
            long first = t * 1000L;
            Source base = test.query("b" + t, rows.formatted(1, "b", first, first + 1000, 1), "");
            threads.add(new Thread(() -> {
                try {
                    LocalFile file = test.writeBase(interval(first == 0 ? null : first - 1, first + 999), 1, base)
                            .get(0);
                    files.add(file);
                    results.add(file.contents().rowCount());
                } catch (Throwable e) {
                    results.add(e);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(results).hasSize(8).containsOnly(1000L);
        assertThat(TestHost.column(
                        test.duckDb,
                        "SELECT count(*) || ' ' || count(*) FILTER (v = 'd') FROM read_parquet("
                                + files.stream().map(f -> "'" + f.path() + "'").toList() + ")"))
                .containsExactly("8000 4000");
    }

    @ParameterizedTest
    @CsvSource({"1, true", "40000000, false"})
    void smallMergesRunSideBySideAndLargeOnesAlone(int bytes, boolean together) throws Exception {
        test.loose("d", "1, 5, 0, 'd'");
        String row = "SELECT " + TestMerge.SYSTEM + ", repeat('x', " + bytes
                + ") AS v FROM (SELECT %d AS n, 1 AS changed_at, 0 AS deleted_at)";
        CountDownLatch bothAreAtWork = new CountDownLatch(2);
        List<Boolean> met = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (long n = 1; n <= 2; n++) {
            long id = n;
            Source base = test.query("b" + n, row.formatted(n), "");
            threads.add(new Thread(() -> test.merge.writeBase(interval(id - 1, id), List.of(base), 1, rows -> {
                bothAreAtWork.countDown();
                try {
                    met.add(bothAreAtWork.await(together ? 60 : 1, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            })));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(met).hasSizeGreaterThanOrEqualTo(2).first().isEqualTo(together);
    }
}
