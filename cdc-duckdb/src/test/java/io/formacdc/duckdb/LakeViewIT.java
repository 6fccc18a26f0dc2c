package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushReport;
import io.formacdc.core.ManifestForm;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LakeViewIT {
    private static final String A = "'00000000-0000-0000-0000-00000000000a'";
    private static final String B = "'ffffffff-0000-0000-0000-00000000000b'";

    @TempDir
    Path folder;

    private Connection duckDb;
    private int files;

    @BeforeEach
    void open() throws SQLException {
        duckDb = DriverManager.getConnection("jdbc:duckdb:");
    }

    @AfterEach
    void close() throws SQLException {
        duckDb.close();
    }

    /** Rows of {@code row_id, changed_at, deleted_at} and more columns as told. */
    private String file(String moreColumns, String... rows) throws SQLException {
        String file = folder.resolve("it's " + files++ + ".parquet").toString();
        try (Statement statement = duckDb.createStatement()) {
            statement.execute("COPY (SELECT 1::SMALLINT AS schema_id, row_id::UUID AS row_id, changed_at::BIGINT AS"
                    + " changed_at, deleted_at::BIGINT AS deleted_at, changed_at::BIGINT AS ltbase_created_at,"
                    + " changed_at::BIGINT AS ltbase_updated_at, NULL::BIGINT AS ltbase_deleted_at"
                    + (moreColumns.isEmpty() ? "" : ", " + moreColumns) + " FROM (VALUES ("
                    + String.join("), (", rows) + ")) t(row_id, changed_at, deleted_at"
                    + (moreColumns.isEmpty() ? "" : ", " + moreColumns) + ")) TO " + ExportSql.literal(file));
        }
        return file;
    }

    private List<List<@Nullable String>> view(String columns, @Nullable String dirtyRows, String... lakeFiles)
            throws SQLException {
        LakeView.create(duckDb, "the \"view\"", List.of(lakeFiles), dirtyRows);
        List<List<@Nullable String>> view =
                TestHost.rows(duckDb, "SELECT " + columns + " FROM \"the \"\"view\"\"\" ORDER BY row_id");
        for (List<String> bases : possibleBases(List.of(lakeFiles))) {
            List<String> others = new ArrayList<>(List.of(lakeFiles));
            others.removeAll(bases);
            String sql = LakeView.sql(bases, others, dirtyRows);
            assertThat(TestHost.rows(duckDb, "SELECT " + columns + " FROM (" + sql + ") ORDER BY row_id"))
                    .as("with the bases %s", bases)
                    .containsExactlyInAnyOrderElementsOf(view);
        }
        return view;
    }

    /** Every choice of files that hold each row once, all of them together. */
    private List<List<String>> possibleBases(List<String> lakeFiles) throws SQLException {
        List<List<String>> choices = new ArrayList<>();
        for (int choice = 1; choice < 1 << lakeFiles.size(); choice++) {
            List<String> bases = new ArrayList<>();
            for (int file = 0; file < lakeFiles.size(); file++) {
                if ((choice >> file & 1) == 1) {
                    bases.add(lakeFiles.get(file));
                }
            }
            String list = bases.stream().map(ExportSql::literal).collect(Collectors.joining(", ", "[", "]"));
            String once = "SELECT count(*) = count(DISTINCT row_id) FROM " + ReadParquet.of(list);
            if (TestHost.rows(duckDb, once).equals(List.of(List.of("true")))) {
                choices.add(bases);
            }
        }
        return choices;
    }

    @Test
    void theGreatestVersionOfEachRowWinsWhateverTheOrderOfFiles() throws SQLException {
        String older = file("v", A + ", 1, 0, 'a1'", B + ", 9, 0, 'b9'");
        String newer = file("v", A + ", 2, 0, 'a2'", B + ", 3, 0, 'b3'");
        assertThat(view("v", null, older, newer)).containsExactly(List.of("a2"), List.of("b9"));
        assertThat(view("v", null, newer, older)).containsExactly(List.of("a2"), List.of("b9"));
    }

    @Test
    void aManifestTellsWhichFilesHoldEachRowOnceAndTheLevelAloneDoesNot() throws SQLException {
        String compacted = "data/7/base-00000000-0000-7000-8000-000000000001.parquet";
        String promoted = "data/7/00000000-0000-7000-8000-000000000002.parquet";
        String files = file("v", A + ", 1, 0, 'a1'", B + ", 1, 0, 'b1'");
        String newer = file("v", A + ", 2, 0, 'a2'");
        FileContents contents = new FileContents(
                2,
                1,
                null,
                new FileContents.RowIdRange(UUID.fromString(A.replace("'", "")), UUID.fromString(B.replace("'", ""))),
                new FileContents.VersionRange(1, 1),
                Map.of());
        Manifest manifest = new Manifest(
                7,
                1,
                0,
                1,
                List.of(ManifestEntry.base(promoted, contents), ManifestEntry.base(compacted, contents)),
                List.of(),
                List.of(),
                ManifestForm.TIERED,
                Map.of());

        String sql = LakeView.sql(manifest, key -> key.equals(promoted) ? newer : files, null);

        assertThat(TestHost.rows(duckDb, "SELECT v FROM (" + sql + ") ORDER BY row_id"))
                .containsExactly(List.of("a2"), List.of("b1"));
    }

    @Test
    void filesMayBeGivenByUrlsThatDuckDbWritesInAnotherWay() throws SQLException {
        String older = "file://" + file("v", A + ", 1, 0, 'a1'", B + ", 3, 0, 'b3'");
        String newer = "file://" + file("v", A + ", 2, 0, 'a2'", B + ", 2, 0, 'b2'");
        assertThat(view("v", null, older, newer)).containsExactly(List.of("a2"), List.of("b3"));
    }

    @Test
    void ofVeryManyFilesTheNewestWinsToo() throws SQLException {
        List<String> bases = List.of(file("v", A + ", 1, 0, 'a'", B + ", 1, 0, 'b'"));
        List<String> others = new ArrayList<>();
        for (int i = 2; i <= 300; i++) {
            others.add(file("v", A + ", " + (i * 37 % 301) + ", 0, 'a" + (i * 37 % 301) + "'"));
        }
        String sql = LakeView.sql(bases, others, null);

        assertThat(TestHost.rows(duckDb, "SELECT v FROM (" + sql + ") ORDER BY row_id"))
                .containsExactly(List.of("a300"), List.of("b"));
    }

    @Test
    void aTombstoneHidesItsRowUntilARowIsNewer() throws SQLException {
        String live = file("v", A + ", 1, 0, 'a'", B + ", 1, 0, 'b'");
        String dead = file("v", A + ", 2, 77, NULL", B + ", 2, 77, NULL");
        String again = file("v", B + ", 3, 0, 'b again'");
        assertThat(view("v", null, live, dead, again)).containsExactly(List.of("b again"));
    }

    @Test
    void ofEqualVersionsTheTombstoneWins() throws SQLException {
        String live = file("v", A + ", 5, 0, 'a'");
        String dead = file("v", A + ", 5, 5, NULL");
        assertThat(view("v", null, live, dead)).isEmpty();
        assertThat(view("v", null, dead, live)).isEmpty();
    }

    @Test
    void aTombstoneAloneIsNoRow() throws SQLException {
        String live = file("v", A + ", 1, 0, 'a'");
        String dead = file("v", B + ", 2, 77, NULL");
        assertThat(view("v", null, live, dead)).containsExactly(List.of("a"));
    }

    @Test
    void ofManyVersionsOneIsLeft() throws SQLException {
        String three = file("v", A + ", 1, 0, 'a1'", A + ", 3, 0, 'a3'", A + ", 2, 9, NULL");
        String two = file("v", A + ", 3, 0, 'a3'", B + ", 1, 0, 'b'");
        assertThat(view("v", null, three, two)).containsExactly(List.of("a3"), List.of("b"));
    }

    @Test
    void aDeletionThatIsNotSetCountsAsLive() throws SQLException {
        String old = file("v", A + ", 1, NULL, 'a'");
        assertThat(view("v", null, old)).containsExactly(List.of("a"));
    }

    @Test
    void oneVersionInTwoFilesIsOneRow() throws SQLException {
        String once = file("v", A + ", 1, 0, 'a'");
        String twice = file("v", A + ", 1, 0, 'a'");
        assertThat(view("v", null, once, twice)).containsExactly(List.of("a"));
    }

    @Test
    void generationsAreUnitedByName() throws SQLException {
        String first = file("old", A + ", 1, 0, 'a'");
        String second = file("new, old", B + ", 1, 0, 'new b', 'old b'");
        assertThat(view("old, new", null, first, second))
                .containsExactly(java.util.Arrays.asList("a", null), List.of("old b", "new b"));
    }

    @Test
    void attributesMayBeCalledLikeWhatTheViewUses() throws SQLException {
        String file = file("filename, place", A + ", 1, 0, 'f', 'p'");
        String newer = file("filename, place", A + ", 2, 0, 'f2', 'p2'");
        assertThat(view("filename, place", null, file, newer)).containsExactly(List.of("f2", "p2"));
    }

    @Test
    void theViewHasTheColumnsOfTheFilesAndNoMore() throws SQLException {
        String file = file("v", A + ", 1, 0, 'a'");
        assertThat(view("*", null, file))
                .containsExactly(java.util.Arrays.asList("1", A.replace("'", ""), "1", "0", "1", "1", null, "a"));
    }

    @Test
    void withoutFilesTheViewIsEmptyAndHasTheSystemColumns() throws SQLException {
        assertThat(view(
                        "schema_id, row_id, changed_at, deleted_at, ltbase_created_at, ltbase_updated_at,"
                                + " ltbase_deleted_at",
                        null))
                .isEmpty();
    }

    @Test
    void dirtyRowsStandInForAllThatTheFilesSayOfThem() throws SQLException {
        String lake = file("v", A + ", 5, 0, 'a'", B + ", 5, 0, 'b'");
        // Older than the file: a clock that was set back must not show what PostgreSQL no longer has.
        String dirty = file("v", A + ", 4, 0, 'dirty a'", B + ", 4, 4, NULL");
        assertThat(view("v", dirty, lake)).containsExactly(List.of("dirty a"));
        assertThat(view("v", dirty)).containsExactly(List.of("dirty a"));
    }

    @Test
    void theLakeAndTheDirtyRowsTogetherEqualPostgresAtAnyMoment() throws SQLException {
        try (TestHost host = new TestHost();
                Connection writer = host.postgres.dataSource().getConnection()) {
            RandomEntities entities = new RandomEntities(writer, 11);
            CdcConfig config = host.config().batchSize(40).build();
            long files = 0;
            for (int round = 0; round < 8; round++) {
                entities.churn(60, 120);
                try (Lake lake =
                        Lake.openWithDirtyRows(config, host.client, RandomEntities.SCHEMA, RandomEntities.REGISTRY)) {
                    assertThat(RandomEntities.inLake(lake)).isEqualTo(entities.inPostgres());
                }
                if (round % 2 == 1) {
                    FlushReport report = Cdc.runOnce(config, host.client, false, RandomEntities.REGISTRY);
                    files += report.files();
                    assertThat(report.schemas().get(0).lossyCasts()).isEmpty();
                    try (Lake lake = host.lake(RandomEntities.SCHEMA)) {
                        assertThat(lake.keys()).hasSize((int) files);
                        assertThat(RandomEntities.inLake(lake)).isEqualTo(entities.inPostgres());
                    }
                }
            }
            assertThat(files).isGreaterThan(4);
        }
    }
}
