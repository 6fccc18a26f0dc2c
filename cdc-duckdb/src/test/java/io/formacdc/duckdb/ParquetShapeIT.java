package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.TableName;
import io.formacdc.core.ValueType;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What other readers find in the files, as DuckDB's own reader of Parquet's metadata tells it. */
class ParquetShapeIT {
    private static final UUID LOW = UUID.fromString("00000000-0000-0000-0000-000000000001");
    private static final UUID MIDDLE = UUID.fromString("7fffffff-ffff-ffff-ffff-ffffffffffff");
    private static final UUID HIGH = UUID.fromString("ffffffff-0000-0000-8000-000000000000");

    private static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "shapes",
            List.of(
                    Attribute.bound("b.text", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("b small", 2, ValueType.SMALLINT, "smallint_01"),
                    Attribute.bound("b_int", 3, ValueType.INTEGER, "integer_01"),
                    Attribute.bound("b_big", 4, ValueType.BIGINT, "bigint_01"),
                    Attribute.bound("b_num", 5, ValueType.NUMERIC, "double_01"),
                    Attribute.bound("b_date", 6, ValueType.DATE, "bigint_02"),
                    Attribute.bound("b_id", 7, ValueType.UUID, "uuid_01"),
                    Attribute.bound("Bool", 8, ValueType.BOOL, "smallint_02"),
                    Attribute.eav("a \"größe\" 😀", 32767, ValueType.TEXT),
                    Attribute.eav("e_small", 10, ValueType.SMALLINT),
                    Attribute.eav("e_big", 11, ValueType.BIGINT),
                    Attribute.eav("e_date", 12, ValueType.DATETIME),
                    Attribute.eav("e_bool", 13, ValueType.BOOL),
                    Attribute.eav("e_id", 14, ValueType.UUID),
                    Attribute.list("e_texts", 15, ValueType.TEXT),
                    Attribute.list("e_bigs", 16, ValueType.BIGINT),
                    Attribute.list("e_bools", 17, ValueType.BOOL)));

    private static final Map<String, String> COLUMNS = new LinkedHashMap<>();

    static {
        String[] columns = {
            "schema_id SMALLINT",
            "row_id UUID",
            "changed_at BIGINT",
            "deleted_at BIGINT",
            "ltbase_created_at BIGINT",
            "ltbase_updated_at BIGINT",
            "ltbase_deleted_at BIGINT",
            "Bool BOOLEAN",
            "b_small SMALLINT",
            "b_text VARCHAR",
            "b_big BIGINT",
            "b_date BIGINT",
            "b_id UUID",
            "b_int INTEGER",
            "b_num DOUBLE",
            "a_\"größe\"_😀 VARCHAR",
            "e_big BIGINT",
            "e_bigs BIGINT[]",
            "e_bool BOOLEAN",
            "e_bools BOOLEAN[]",
            "e_date BIGINT",
            "e_id VARCHAR",
            "e_small DOUBLE",
            "e_texts VARCHAR[]"
        };
        for (String column : columns) {
            int space = column.lastIndexOf(' ');
            COLUMNS.put(column.substring(0, space), column.substring(space + 1));
        }
    }

    private static TestHost host;
    private static Connection duckDb;
    private static int lastSchema;

    @TempDir
    Path folder;

    private final int schema = ++lastSchema;
    private final SchemaRegistry registry = TestHost.registry(schema, ATTRIBUTES);

    @BeforeAll
    static void open() throws SQLException {
        host = new TestHost();
        duckDb = DriverManager.getConnection("jdbc:duckdb:");
    }

    @AfterEach
    void clear() throws SQLException {
        host.sql("TRUNCATE change_log, entity_main, eav_data");
    }

    @AfterAll
    static void close() throws SQLException {
        duckDb.close();
        host.close();
    }

    private SchemaFlush flush(CdcConfig config, @Nullable SchemaRegistry registry) {
        return Cdc.runOnce(config, host.client, false, registry).schema(schema).orElseThrow();
    }

    private Path download(String key) throws IOException {
        return Files.write(
                folder.resolve(UUID.randomUUID() + ".parquet"),
                host.store().get(key).content());
    }

    private Path onlyFile(SchemaFlush flush) throws IOException {
        assertThat(flush.keys()).hasSize(1);
        return download(flush.keys().get(0));
    }

    private static Map<String, String> columnsOf(Path file) throws SQLException {
        Map<String, String> columns = new LinkedHashMap<>();
        for (List<@Nullable String> row : TestHost.rows(duckDb, "DESCRIBE FROM '" + file + "'")) {
            columns.put(String.valueOf(row.get(0)), String.valueOf(row.get(1)));
        }
        return columns;
    }

    private ManifestEntry onlyEntry() {
        CdcConfig config = host.config().build();
        List<ManifestEntry> entries = new ManifestStore(
                        host.store(), ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.of(config))
                .load(schema)
                .manifest()
                .entries();
        assertThat(entries).hasSize(1);
        return entries.get(0);
    }

    @Test
    void columnsHaveTheTypesAndTheOrderOfTheContractAndTheManifestSaysTheSame() throws Exception {
        host.insert(schema, LOW, 1);
        Path file = onlyFile(flush(host.config().build(), registry));
        assertThat(columnsOf(file)).containsExactlyEntriesOf(COLUMNS);
        assertThat(onlyEntry().columns()).containsExactlyEntriesOf(COLUMNS);
    }

    @Test
    void theEntrySaysWhatIsInTheFile() throws Exception {
        host.insert(schema, MIDDLE, 30);
        host.insert(schema, HIGH, 10);
        host.insert(schema, LOW, 20);
        SchemaFlush flush = flush(host.config().build(), registry);
        byte[] content = Files.readAllBytes(onlyFile(flush));
        ManifestEntry entry = onlyEntry();
        assertThat(entry.path()).isEqualTo(flush.keys().get(0));
        assertThat(entry.minRowId()).isEqualTo(LOW.toString());
        assertThat(entry.maxRowId()).isEqualTo(HIGH.toString());
        assertThat(entry.minTimeSlot()).isEqualTo(10);
        assertThat(entry.maxTimeSlot()).isEqualTo(30);
        assertThat(entry.rowCount()).isEqualTo(3);
        assertThat(entry.sizeBytes()).isEqualTo(content.length);
        assertThat(entry.checksum())
                .isEqualTo("sha256:"
                        + HexFormat.of()
                                .formatHex(MessageDigest.getInstance("SHA-256").digest(content)));
    }

    @Test
    void fieldIdsAreStable() throws Exception {
        host.insert(schema, LOW, 1);
        Path file = onlyFile(flush(host.config().build(), registry));
        List<String> ids = new ArrayList<>();
        for (List<@Nullable String> row : TestHost.rows(
                duckDb, "SELECT name, field_id FROM parquet_schema('" + file + "') WHERE field_id IS NOT NULL")) {
            ids.add(row.get(0) + " " + row.get(1));
        }
        assertThat(ids)
                .containsExactly(
                        "schema_id 1",
                        "row_id 2",
                        "changed_at 3",
                        "deleted_at 4",
                        "ltbase_created_at 5",
                        "ltbase_updated_at 6",
                        "ltbase_deleted_at 7",
                        "Bool 108",
                        "b_small 102",
                        "b_text 101",
                        "b_big 104",
                        "b_date 106",
                        "b_id 107",
                        "b_int 103",
                        "b_num 105",
                        "a_\"größe\"_😀 32867",
                        "e_big 111",
                        "e_bigs 116",
                        "element 40016",
                        "e_bool 113",
                        "e_bools 117",
                        "element 40017",
                        "e_date 112",
                        "e_id 114",
                        "e_small 110",
                        "e_texts 115",
                        "element 40015");
    }

    @ParameterizedTest
    @CsvSource({
        "zstd, ZSTD",
        "snappy, SNAPPY",
        "GZIP, GZIP",
        "lz4, LZ4_RAW",
        "brotli, BROTLI",
        "uncompressed, UNCOMPRESSED"
    })
    void theCodecIsTheConfiguredOneAndTheFormatIsVersion2(String codec, String expected) throws Exception {
        host.insert(schema, LOW, 1);
        host.insertEav(schema, LOW, 11, "", null, "9007199254740993");
        Path file = onlyFile(flush(host.config().parquetCompression(codec).build(), registry));
        assertThat(TestHost.column(duckDb, "SELECT DISTINCT compression FROM parquet_metadata('" + file + "')"))
                .containsExactly(expected);
        assertThat(TestHost.column(duckDb, "SELECT format_version FROM parquet_file_metadata('" + file + "')"))
                .containsExactly("2");
        assertThat(TestHost.column(duckDb, "SELECT e_big FROM '" + file + "'")).containsExactly("9007199254740993");
    }

    @Test
    void rowGroupsAreBoundedInBytes() throws Exception {
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at,"
                + " text_01) SELECT " + schema + ", gen_random_uuid(), i, i, repeat(md5(i::text), 128)"
                + " FROM generate_series(1, 40000) i");
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT ltbase_schema_id, ltbase_row_id,"
                + " ltbase_updated_at FROM entity_main WHERE ltbase_schema_id = " + schema);
        // A thread that writes a row group of one wide column holds it four times over.
        CdcConfig config = host.config()
                .batchSize(40_000)
                .maxBatchBytes(1L << 40)
                .duckMemLimit("1GB")
                .build();
        SchemaRegistry texts = TestHost.registry(
                schema, new SchemaAttributes("t", List.of(Attribute.bound("t", 1, ValueType.TEXT, "text_01"))));
        Path file = onlyFile(flush(config, texts));
        List<List<@Nullable String>> groups = TestHost.rows(
                duckDb,
                "SELECT row_group_id, sum(total_uncompressed_size)::BIGINT FROM parquet_metadata('" + file
                        + "') GROUP BY ALL");
        // 160 MB of text; the bound is checked a vector of 2048 rows at a time, which here are 8 MB.
        assertThat(groups).hasSizeBetween(2, 12);
        assertThat(groups)
                .allSatisfy(g ->
                        assertThat(Long.parseLong(String.valueOf(g.get(1)))).isLessThan(96L << 20));
    }

    @Test
    void aFileWithoutRowsHasAllColumns() throws Exception {
        Path file = folder.resolve("empty.parquet");
        try (DuckExporter exporter = DuckExporter.open(host.config().build(), host.client)) {
            var contents = exporter.exportSnapshotToTmp(
                    host.connectionString(), file.toString(), schema, 5, List.of(LOW), ATTRIBUTES);
            assertThat(contents.rowCount()).isZero();
            assertThat(contents.rowIds()).isNull();
            assertThat(contents.versions()).isNull();
            assertThat(contents.sizeBytes()).isEqualTo(Files.size(file));
            assertThat(contents.columns()).containsExactlyEntriesOf(COLUMNS);
        }
        assertThat(columnsOf(file)).containsExactlyEntriesOf(COLUMNS);
        assertThat(TestHost.column(duckDb, "SELECT count(*) FROM '" + file + "'"))
                .containsExactly("0");
    }

    @Test
    void withoutMetadataHotColumnsKeepTheirNamesAndEavIsOneList() throws Exception {
        host.insert(schema, LOW, 1);
        host.sql("UPDATE entity_main SET text_10 = 'ten', smallint_03 = 3, bigint_05 = 9007199254740993, uuid_02 = '"
                + HIGH + "' WHERE ltbase_schema_id = " + schema);
        host.insertEav(schema, LOW, 20, "1", "b", null);
        host.insertEav(schema, LOW, 20, "0", null, "0.1");
        host.insertEav(schema, LOW, 3, "", null, null);
        host.insert(schema, HIGH, 1);
        // Without the key that would bring the rows in its order.
        host.sql("CREATE TABLE eav_without_key AS TABLE eav_data");
        Path file = onlyFile(flush(host.config().eavDataTable("eav_without_key").build(), null));
        Map<String, String> expected = new LinkedHashMap<>();
        COLUMNS.entrySet().stream().limit(7).forEach(e -> expected.put(e.getKey(), e.getValue()));
        Map<String, Integer> counts = new LinkedHashMap<>();
        counts.put("text VARCHAR", 10);
        counts.put("smallint SMALLINT", 3);
        counts.put("integer INTEGER", 3);
        counts.put("bigint BIGINT", 5);
        counts.put("double DOUBLE", 5);
        counts.put("uuid UUID", 2);
        counts.forEach((column, count) -> {
            for (int i = 1; i <= count; i++) {
                String[] parts = column.split(" ", -1);
                expected.put("%s_%02d".formatted(parts[0], i), parts[1]);
            }
        });
        expected.put(
                "attributes",
                "STRUCT(attr_id SMALLINT, array_indices VARCHAR, value_text VARCHAR, value_numeric DOUBLE)[]");
        assertThat(columnsOf(file)).containsExactlyEntriesOf(expected);
        assertThat(onlyEntry().columns()).containsExactlyEntriesOf(expected);
        assertThat(TestHost.rows(
                        duckDb,
                        "SELECT text_10, smallint_03, bigint_05, uuid_02, attributes::VARCHAR FROM '" + file
                                + "' ORDER BY row_id"))
                .containsExactly(
                        List.of(
                                "ten",
                                "3",
                                "9007199254740993",
                                HIGH.toString(),
                                "[{'attr_id': 3, 'array_indices': '', 'value_text': NULL, 'value_numeric': NULL},"
                                        + " {'attr_id': 20, 'array_indices': 0, 'value_text': NULL, 'value_numeric': 0.1},"
                                        + " {'attr_id': 20, 'array_indices': 1, 'value_text': b, 'value_numeric': NULL}]"),
                        java.util.Arrays.asList(null, null, null, null, null));
        assertThat(TestHost.rows(
                        duckDb,
                        "SELECT name, field_id FROM parquet_schema('" + file + "') WHERE field_id BETWEEN 36 AND 99"))
                .containsExactly(
                        List.of("uuid_01", "36"),
                        List.of("uuid_02", "37"),
                        List.of("attributes", "90"),
                        List.of("element", "91"),
                        List.of("attr_id", "92"),
                        List.of("array_indices", "93"),
                        List.of("value_text", "94"),
                        List.of("value_numeric", "95"));
    }

    @Test
    void aTombstoneOfAGoneEntityIsNullButForItsVersionAndIsGoneFromTheView() throws Exception {
        host.insert(schema, LOW, 1);
        host.insertEav(schema, LOW, 11, "", null, "5");
        host.insertEav(schema, LOW, 15, "", null, null);
        host.insert(schema, HIGH, 1);
        flush(host.config().build(), registry);
        host.sql("DELETE FROM entity_main WHERE ltbase_row_id = '" + LOW + "' AND ltbase_schema_id = " + schema);
        host.sql("DELETE FROM eav_data WHERE row_id = '" + LOW + "' AND schema_id = " + schema);
        host.sql("INSERT INTO change_log VALUES (" + schema + ", '" + LOW + "', 0, 9, 1234)");
        Path file = onlyFile(flush(host.config().build(), registry));
        List<@Nullable String> expected = new ArrayList<>(List.of(String.valueOf(schema), LOW.toString(), "9", "1234"));
        for (int i = expected.size(); i < COLUMNS.size(); i++) {
            expected.add(null);
        }
        assertThat(TestHost.rows(duckDb, "FROM '" + file + "'")).containsExactly(expected);
        try (Lake lake = host.lake(schema)) {
            assertThat(TestHost.column(lake.connection(), "SELECT row_id FROM lake"))
                    .containsExactly(HIGH.toString());
        }
    }

    @Test
    void oneColumnBoundTwiceIsThereTwice() throws Exception {
        host.insert(schema, LOW, 1);
        host.sql("UPDATE entity_main SET uuid_01 = '" + HIGH + "' WHERE ltbase_schema_id = " + schema);
        SchemaRegistry twice = TestHost.registry(
                schema,
                new SchemaAttributes(
                        "twice",
                        List.of(
                                Attribute.bound("as_id", 1, ValueType.UUID, "uuid_01"),
                                Attribute.bound("as_text", 2, ValueType.TEXT, "uuid_01"))));
        Path file = onlyFile(flush(host.config().build(), twice));
        assertThat(TestHost.rows(duckDb, "SELECT as_id, as_text FROM '" + file + "'"))
                .containsExactly(List.of(HIGH.toString(), HIGH.toString()));
    }

    @Test
    void namesThatDuckDbCouldTakeForItsOwnOrForEachOtherAreColumnsLikeAnyOther() throws Exception {
        host.insert(schema, LOW, 1);
        List<String> names = List.of("Ä", "ä", "element", "select", "h", "c0", "a\nb", "'", "\"");
        List<Attribute> attributes = new ArrayList<>();
        for (String name : names) {
            attributes.add(Attribute.eav(name, attributes.size() + 1, ValueType.TEXT));
            host.insertEav(schema, LOW, attributes.size(), "", "value of " + name, null);
        }
        Path file = onlyFile(
                flush(host.config().build(), TestHost.registry(schema, new SchemaAttributes("odd", attributes))));
        for (String name : names) {
            String column = '"' + name.replace("\"", "\"\"") + '"';
            assertThat(TestHost.column(duckDb, "SELECT f." + column + " FROM '" + file + "' f"))
                    .containsExactly("value of " + name);
        }
    }

    @Test
    void aMegabyteOfTextArrivesWhole() throws Exception {
        host.insert(schema, LOW, 1);
        String text = "a\uD83D\uDE00'\n".repeat(1 << 17);
        assertThat(text.getBytes(StandardCharsets.UTF_8)).hasSizeGreaterThan(900_000);
        host.sql("UPDATE entity_main SET text_01 = ?::text WHERE ltbase_schema_id = " + schema, text);
        host.insertEav(schema, LOW, 15, "0", text, null);
        Path file = onlyFile(flush(host.config().build(), registry));
        assertThat(TestHost.rows(duckDb, "SELECT b_text, e_texts[1] FROM '" + file + "'"))
                .containsExactly(List.of(text, text));
    }

    @Test
    void wideRowsAreHandedOverAFewAtATime() throws Exception {
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at,"
                + " text_01) SELECT " + schema + ", gen_random_uuid(), i, i, repeat('x', 1 << 20)"
                + " FROM generate_series(1, 30) i");
        List<Long> chunks = Collections.synchronizedList(new ArrayList<>());
        CdcConfig config = host.config().build().withDefaults();
        TableCatalog catalog =
                new TableCatalog(TableName.parse("entity_main"), Map.of("text_01", PgType.TEXT), Map.of());
        SchemaAttributes text = new SchemaAttributes("t", List.of(Attribute.bound("t", 1, ValueType.TEXT, "text_01")));
        TrackedConnections connections = new TrackedConnections(host.postgres.dataSource());
        try (InterruptWatch watch = InterruptWatch.open();
                PgSessions sessions = new PgSessions(connections);
                PgSnapshot snapshot = PgSnapshot.open(sessions);
                ParquetWriter writer = ParquetWriter.open(config);
                ExportedFile file = writer.write(new ParquetWriter.Export(
                        schema,
                        watch,
                        connections,
                        snapshot,
                        new ExportedRows(
                                PgQueries.ofLiveEntities(config, schema), null, List.of(RowIdInterval.ALL), 30),
                        Projection.of(catalog, text),
                        ParquetWriter.Versions.KEPT,
                        1,
                        2,
                        chunks::add))) {
            assertThat(TestHost.column(duckDb, "SELECT count(*) FROM '" + file.path() + "' WHERE length(t) = 1 << 20"))
                    .containsExactly("30");
        }
        assertThat(chunks).allSatisfy(rows -> assertThat(rows).isLessThanOrEqualTo(8));
    }

    @Test
    void aDeploymentWithFewerHotColumnsIsReadAsFarAsItsAttributesGo() throws Exception {
        try (TestHost small = new TestHost()) {
            small.sql("ALTER TABLE entity_main DROP COLUMN text_02, DROP COLUMN bigint_05, DROP COLUMN double_01");
            small.insert(1, LOW, 1);
            small.sql("UPDATE entity_main SET text_01 = 'x'");
            SchemaRegistry one = TestHost.registry(
                    1, new SchemaAttributes("s", List.of(Attribute.bound("t", 1, ValueType.TEXT, "text_01"))));
            small.flush(one);
            small.insert(1, HIGH, 2);
            small.flush(null);
            try (Lake lake = small.lake(1)) {
                assertThat(TestHost.rows(
                                lake.connection(),
                                "SELECT t, text_01, uuid_01, COLUMNS('text_02|bigint_05|double_02') FROM lake"
                                        + " ORDER BY row_id"))
                        .containsExactly(
                                java.util.Arrays.asList("x", null, null, null),
                                java.util.Arrays.asList(null, null, null, null));
            }
        }
    }

    @Test
    void aManifestMayNameItsFilesByUrl() throws Exception {
        host.insert(schema, LOW, 1);
        SchemaFlush flush = flush(host.config().build(), registry);
        String key = ManifestConfig.of(host.config().build()).orElseThrow().keyFor(schema);
        var stored = host.store().get(key);
        String json = new String(stored.content(), StandardCharsets.UTF_8);
        String url = "s3://" + host.bucket() + "/" + flush.keys().get(0);
        host.store()
                .putIfMatch(
                        key, json.replace(flush.keys().get(0), url).getBytes(StandardCharsets.UTF_8), stored.etag());
        try (Lake lake = host.lake(schema)) {
            assertThat(lake.keys()).containsExactlyElementsOf(flush.keys());
            assertThat(TestHost.column(lake.connection(), "SELECT row_id FROM lake"))
                    .containsExactly(LOW.toString());
        }
    }
}
