package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcException;
import io.formacdc.core.DatabaseException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DuckExporterIT {
    private static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "s",
            List.of(
                    Attribute.bound("name", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("size", 2, ValueType.INTEGER, "integer_01"),
                    Attribute.eav("note", 3, ValueType.TEXT)));

    private static TestHost host;
    private static Connection duckDb;

    @TempDir
    Path folder;

    private Path spill;
    private Path target;
    private DuckExporter exporter;

    @BeforeAll
    static void startHost() throws SQLException {
        host = new TestHost();
        duckDb = DriverManager.getConnection("jdbc:duckdb:");
    }

    @AfterAll
    static void stopHost() throws SQLException {
        duckDb.close();
        host.close();
    }

    @BeforeEach
    void open() throws SQLException {
        host.sql("TRUNCATE change_log, entity_main, eav_data");
        spill = folder.resolve("spill");
        target = folder.resolve("out").resolve("file.parquet");
        exporter =
                DuckExporter.open(host.config().spillDirectory(spill.toString()).build(), host.client);
    }

    @AfterEach
    void close() throws IOException {
        exporter.close();
        assertThat(spill).isEmptyDirectory();
    }

    private static UUID id(long n) {
        return new UUID(n << 40, n);
    }

    private FileContents exportSnapshot(String path, long snapshotTs, UUID... ids) {
        return exporter.exportSnapshotToTmp(host.connectionString(), path, 1, snapshotTs, List.of(ids), ATTRIBUTES);
    }

    private FileContents exportBase(String path, UUID... ids) {
        return exporter.exportBaseFileToTmp(host.connectionString(), path, 1, List.of(ids), ATTRIBUTES);
    }

    private static List<List<@Nullable String>> rows(Path file, String columns) throws SQLException {
        return TestHost.rows(duckDb, "SELECT " + columns + " FROM '" + file + "' ORDER BY row_id");
    }

    private List<Path> spilled() throws IOException {
        try (Stream<Path> files = Files.walk(spill)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void exportsTheDirtyRowsThatWereAskedForAndNoOthers() throws Exception {
        for (int n = 1; n <= 5; n++) {
            host.insert(1, id(n), n);
            host.insertEav(1, id(n), 3, "", "note " + n, null);
        }
        host.insert(2, id(6), 6);
        host.sql("UPDATE change_log SET flushed_at = 99 WHERE row_id = '" + id(4) + "'");
        FileContents contents = exportSnapshot(target.toString(), 100, id(4), id(2), id(6), id(5), id(2), id(77));
        assertThat(rows(target, "row_id, changed_at, note"))
                .containsExactly(List.of(id(2).toString(), "2", "note 2"), List.of(id(5).toString(), "5", "note 5"));
        assertThat(contents.rowCount()).isEqualTo(2);
        assertThat(contents.rowIds()).isEqualTo(new RowIdRange(id(2), id(5)));
        assertThat(contents.versions()).isEqualTo(new VersionRange(2, 5));
        assertThat(contents.sizeBytes()).isEqualTo(Files.size(target));
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                .isEqualTo(5);
        assertThat(spilled()).isEmpty();
    }

    @Test
    void leavesOutWhatIsNewerThanTheSnapshot() throws Exception {
        host.insert(1, id(1), 10);
        host.insert(1, id(2), 11);
        assertThat(exportSnapshot(target.toString(), 10, id(1), id(2)).rowCount())
                .isEqualTo(1);
        assertThat(rows(target, "row_id")).containsExactly(List.of(id(1).toString()));
    }

    @Test
    void exportsTombstones() throws Exception {
        host.sql("INSERT INTO change_log VALUES (1, '" + id(1) + "', 0, 7, 8)");
        exportSnapshot(target.toString(), 10, id(1));
        assertThat(rows(target, "changed_at, deleted_at, ltbase_updated_at, name"))
                .containsExactly(java.util.Arrays.asList("7", "8", null, null));
    }

    @Test
    void aBaseFileHoldsLiveEntitiesAtTheVersionOfTheirLastUpdateWhetherDirtyOrNot() throws Exception {
        host.insert(1, id(1), 10);
        host.insert(1, id(2), 20);
        host.insert(1, id(3), 30);
        host.insert(1, id(4), 40);
        host.insert(1, id(5), 50);
        host.insertEav(1, id(2), 3, "", "two", null);
        host.sql("DELETE FROM change_log WHERE row_id = '" + id(2) + "'");
        host.sql("UPDATE change_log SET changed_at = 11 WHERE row_id = '" + id(1) + "'");
        host.sql("UPDATE entity_main SET ltbase_deleted_at = 5 WHERE ltbase_row_id = '" + id(4) + "'");
        host.sql("UPDATE entity_main SET ltbase_deleted_at = 0 WHERE ltbase_row_id = '" + id(5) + "'");
        FileContents contents = exportBase(target.toString(), id(1), id(2), id(4), id(5));
        assertThat(rows(target, "row_id, changed_at, deleted_at, ltbase_updated_at, note"))
                .containsExactly(
                        java.util.Arrays.asList(id(1).toString(), "10", "0", "10", null),
                        List.of(id(2).toString(), "20", "0", "20", "two"),
                        java.util.Arrays.asList(id(5).toString(), "50", "0", "50", null));
        assertThat(contents.versions()).isEqualTo(new VersionRange(10, 50));
    }

    @Test
    void bothUploadToABucket() throws Exception {
        host.insert(1, id(1), 10);
        for (boolean base : new boolean[] {true, false}) {
            String key = host.key("tmp/" + base + ".parquet");
            String url = "s3://" + host.bucket() + "/" + key;
            FileContents contents = base ? exportBase(url, id(1)) : exportSnapshot(url, 10, id(1));
            byte[] stored = host.store().get(key).content();
            assertThat(stored).hasSize((int) contents.sizeBytes());
            Path copy = Files.write(folder.resolve(base + ".parquet"), stored);
            assertThat(rows(copy, "row_id")).containsExactly(List.of(id(1).toString()));
        }
        assertThat(spilled()).isEmpty();
    }

    @Test
    void fiftyThousandSparseIdsOfManyAreExported() throws Exception {
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at,"
                + " integer_01) SELECT 1, md5(i::text)::uuid, i, i, i FROM generate_series(1, 150000) i");
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT 1, ltbase_row_id, ltbase_updated_at"
                + " FROM entity_main");
        host.sql("INSERT INTO eav_data SELECT 1, ltbase_row_id, 3, '', integer_01::text, NULL FROM entity_main");
        List<UUID> ids =
                TestHost.column(host.connection, "SELECT ltbase_row_id FROM entity_main WHERE integer_01 % 3 = 0")
                        .stream()
                        .map(String::valueOf)
                        .map(UUID::fromString)
                        .toList();
        String connection = host.connectionString();
        String summary = "SELECT count(*), count(DISTINCT size), sum(size % 3),"
                + " count(*) FILTER (note = size::VARCHAR) FROM '" + target + "'";
        exporter.exportSnapshotToTmp(connection, target.toString(), 1, 1_000_000, ids, ATTRIBUTES);
        List<String> thoseAskedFor = List.of("50000", "50000", "0", "50000");
        assertThat(TestHost.rows(duckDb, summary)).containsExactly(thoseAskedFor);
        exporter.exportBaseFileToTmp(connection, target.toString(), 1, ids, ATTRIBUTES);
        assertThat(TestHost.rows(duckDb, summary)).containsExactly(thoseAskedFor);
    }

    @Test
    void noIdsAreRefused() {
        assertThatThrownBy(() -> exportSnapshot(target.toString(), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rowIds is empty");
        assertThatThrownBy(() -> exportBase(target.toString())).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 32768})
    void schemaIdsOutsideTheirRangeAreRefused(int schemaId) {
        assertThatThrownBy(() -> exporter.exportSnapshotToTmp(
                        "nothing is opened", target.toString(), schemaId, 1, List.of(id(1)), null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(schemaId));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "s3://", "s3://bucket", "s3://bucket/", "s3:///key"})
    void aPathThatIsNoneIsRefusedBeforeAnythingIsOpened(String path) {
        assertThatThrownBy(() -> exporter.exportSnapshotToTmp("nothing is opened", path, 1, 1, List.of(id(1)), null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(path);
    }

    @Test
    void aFolderIsNoTarget() throws Exception {
        host.insert(1, id(1), 1);
        Files.createDirectories(target);
        assertThatThrownBy(() -> exportSnapshot(target.toString(), 1, id(1))).hasMessageContaining(target.toString());
        assertThat(target).isEmptyDirectory();
    }

    @Test
    void aTargetThatCannotBeWrittenLeavesNothing() throws Exception {
        host.insert(1, id(1), 1);
        Files.writeString(folder.resolve("out"), "in the way");
        assertThatThrownBy(() -> exportSnapshot(target.toString(), 1, id(1)))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining(target.toString());
        assertThat(folder.resolve("out")).hasContent("in the way");
        assertThat(spilled()).isEmpty();
    }

    @Test
    void aFailedUploadLeavesNothing() throws Exception {
        host.insert(1, id(1), 1);
        assertThatThrownBy(() -> exportSnapshot("s3://no-such-bucket-here/key", 1, id(1)))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("no-such-bucket-here");
        assertThat(spilled()).isEmpty();
    }

    @Test
    void aFailureInTheMidstOfReadingLeavesNothing() throws Exception {
        host.insert(1, id(1), 1);
        host.sql("UPDATE entity_main SET integer_01 = 0");
        host.sql("ALTER TABLE entity_main RENAME TO real_main");
        host.sql("CREATE VIEW entity_main AS SELECT ltbase_schema_id, ltbase_row_id, ltbase_created_at,"
                + " ltbase_updated_at, ltbase_deleted_at, text_01, 1 / integer_01 AS integer_01 FROM real_main");
        String key = host.key("tmp/never.parquet");
        try {
            assertThatThrownBy(() -> exportSnapshot(target.toString(), 1, id(1)))
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("22012")
                    .hasMessageNotContaining("\tat ");
            assertThatThrownBy(() -> exportSnapshot("s3://" + host.bucket() + "/" + key, 1, id(1)))
                    .isInstanceOf(DatabaseException.class);
        } finally {
            host.sql("DROP VIEW entity_main");
            host.sql("ALTER TABLE real_main RENAME TO entity_main");
        }
        assertThat(target).doesNotExist();
        assertThatThrownBy(() -> host.store().head(key)).isInstanceOf(ObjectNotFoundException.class);
        assertThat(spilled()).isEmpty();
        // And the exporter is as good as before.
        host.sql("UPDATE entity_main SET integer_01 = 5");
        exportSnapshot(target.toString(), 1, id(1));
        assertThat(rows(target, "size")).containsExactly(List.of("5"));
    }

    @Test
    void aWrongPasswordIsAClearErrorWithoutIt() {
        String wrong = host.connectionString().replace("password='", "password='wr0ng");
        assertThatThrownBy(() -> exporter.exportBaseFileToTmp(wrong, target.toString(), 1, List.of(id(1)), null))
                .isInstanceOf(DatabaseException.class)
                .hasMessageContaining("28P01")
                .hasMessageNotContaining("wr0ng");
    }
}
