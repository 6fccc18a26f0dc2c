package io.formacdc.examples.parquetjava;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.Attribute;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.UuidV7;
import io.formacdc.core.ValueType;
import io.formacdc.duckdb.Cdc;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** Files of every kind, read by a reader that shares no code with their writer, hold what PostgreSQL was given. */
class ParquetJavaIT {
    private static final UUID FULL = UUID.fromString("ffffffff-0000-4000-8000-000000000001");
    private static final UUID BARE = UUID.fromString("00000000-0000-4000-8000-000000000002");
    private static final UUID GONE = UUID.fromString("80000000-0000-4000-8000-000000000003");
    private static final UUID OTHER = UUID.fromString("fedcba98-7654-3210-8000-0123456789ab");
    private static final long BIG = 9_007_199_254_740_993L;
    private static final long DAY = 1_735_689_600_000L;

    private static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "everything",
            List.of(
                    Attribute.bound("b_text", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("b_small", 2, ValueType.SMALLINT, "smallint_01"),
                    Attribute.bound("b_int", 3, ValueType.INTEGER, "integer_01"),
                    Attribute.bound("b_big", 4, ValueType.BIGINT, "bigint_01"),
                    Attribute.bound("b_num", 5, ValueType.NUMERIC, "double_01"),
                    Attribute.bound("b_uuid", 6, ValueType.UUID, "uuid_01"),
                    bound("b_date", 7, ValueType.DATE, "text_02", ColumnEncoding.ISO8601),
                    bound("b_bool", 8, ValueType.BOOL, "smallint_02", ColumnEncoding.BOOL_SMALLINT),
                    Attribute.eav("e_text", 11, ValueType.TEXT),
                    Attribute.eav("e_small", 12, ValueType.SMALLINT),
                    Attribute.eav("e_big", 13, ValueType.BIGINT),
                    Attribute.eav("e_num", 14, ValueType.NUMERIC),
                    Attribute.eav("e_date", 15, ValueType.DATETIME),
                    Attribute.eav("e_uuid", 16, ValueType.UUID),
                    Attribute.eav("e_bool", 17, ValueType.BOOL),
                    Attribute.list("l_text", 18, ValueType.TEXT),
                    Attribute.list("l_big", 19, ValueType.BIGINT)));

    private static final String SCHEMA = """
            message duckdb_schema {
              optional int32 schema_id (INTEGER(16,true)) = 1;
              optional fixed_len_byte_array(16) row_id (UUID) = 2;
              optional int64 changed_at (INTEGER(64,true)) = 3;
              optional int64 deleted_at (INTEGER(64,true)) = 4;
              optional int64 ltbase_created_at (INTEGER(64,true)) = 5;
              optional int64 ltbase_updated_at (INTEGER(64,true)) = 6;
              optional int64 ltbase_deleted_at (INTEGER(64,true)) = 7;
              optional int64 b_big (INTEGER(64,true)) = 104;
              optional boolean b_bool = 108;
              optional int64 b_date (INTEGER(64,true)) = 107;
              optional int32 b_int (INTEGER(32,true)) = 103;
              optional double b_num = 105;
              optional int32 b_small (INTEGER(16,true)) = 102;
              optional binary b_text (STRING) = 101;
              optional fixed_len_byte_array(16) b_uuid (UUID) = 106;
              optional int64 e_big (INTEGER(64,true)) = 113;
              optional boolean e_bool = 117;
              optional int64 e_date (INTEGER(64,true)) = 115;
              optional double e_num = 114;
              optional double e_small = 112;
              optional binary e_text (STRING) = 111;
              optional binary e_uuid (STRING) = 116;
              optional group l_big (LIST) = 119 {
                repeated group list {
                  optional int64 element (INTEGER(64,true)) = 40019;
                }
              }
              optional group l_text (LIST) = 118 {
                repeated group list {
                  optional binary element (STRING) = 40018;
                }
              }
            }
            """;

    @TempDir
    private static Path folder;

    private static LocalPostgres postgres;
    private static LocalS3 s3;
    private static S3Client sdk;
    private static CdcConfig config;
    private static S3FullClient client;
    private static final SchemaRegistry REGISTRY = schemaId -> Optional.of(ATTRIBUTES);

    private static Attribute bound(String name, int id, ValueType type, String column, ColumnEncoding encoding) {
        return new Attribute(name, id, type, null, new ColumnBinding(column, encoding), false);
    }

    @BeforeAll
    static void start() throws SQLException {
        postgres = LocalPostgres.start();
        s3 = LocalS3.startOrExternal();
        String prefix = "parquet-java-" + UuidV7.next();
        config = CdcConfig.builder()
                .pgHost(postgres.host())
                .pgPort(postgres.port())
                .pgUser(postgres.user())
                .pgPassword(postgres.password())
                .pgDb(postgres.database())
                .pgSslMode("prefer")
                .minRecords(1)
                .s3Endpoint(s3.endpoint().toString())
                .s3UsePath(true)
                .s3Bucket(s3.bucket())
                .s3Prefix(prefix + "/data")
                .manifestPrefix(prefix)
                .build();
        sdk = S3Clients.create(config, s3.accessKey(), s3.secretKey());
        client = S3FullClient.of(sdk);
        try (Connection connection = postgres.dataSource().getConnection()) {
            LocalPostgres.createTables(connection);
        }
        sql("""
                INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, smallint_01, integer_01, bigint_01,
                  double_01, uuid_01, text_02, smallint_02, ltbase_created_at, ltbase_updated_at) VALUES
                  (9, '%s', 'größe 😀', -32768, 2147483647, %d, 0.1, '%s', '2025-01-01', 1, 5, 100),
                  (9, '%s', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 6, 101)""".formatted(FULL, BIG, OTHER, BARE), """
                INSERT INTO eav_data (schema_id, row_id, attr_id, array_indices, value_text, value_numeric) VALUES
                  (9, '%1$s', 11, '', 'it''s', NULL), (9, '%1$s', 12, '', NULL, 1.5), (9, '%1$s', 13, '', NULL, %2$d),
                  (9, '%1$s', 14, '', NULL, 0.30), (9, '%1$s', 15, '', NULL, %3$d), (9, '%1$s', 16, '', '%4$s', NULL),
                  (9, '%1$s', 17, '', NULL, 1), (9, '%1$s', 18, '10', 'last', NULL), (9, '%1$s', 18, '2', 'first', NULL),
                  (9, '%1$s', 18, '3', NULL, NULL), (9, '%1$s', 19, '0', NULL, %2$d), (9, '%5$s', 18, '', NULL, NULL)
                """.formatted(FULL, BIG, DAY, OTHER, BARE), """
                INSERT INTO change_log (schema_id, row_id, changed_at, deleted_at) VALUES
                  (9, '%s', 100, NULL), (9, '%s', 101, NULL), (9, '%s', 102, 102)""".formatted(
                        FULL, BARE, GONE));
    }

    @AfterAll
    static void stop() {
        sdk.close();
        s3.close();
        postgres.close();
    }

    private static void sql(String... statements) throws SQLException {
        try (Connection connection = postgres.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static List<ParquetJava> listedFiles() throws Exception {
        S3ObjectStore store = new S3ObjectStore(client, config.s3Bucket());
        ManifestStore manifests =
                new ManifestStore(store, ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.of(config));
        List<ParquetJava> files = new ArrayList<>();
        for (ManifestEntry entry : manifests.load(9).manifest().entries()) {
            Path file = folder.resolve(UUID.randomUUID() + ".parquet");
            store.download(entry.key(), file);
            files.add(ParquetJava.read(file));
        }
        return files;
    }

    @Test
    void deltasBasesAndCompactedFilesAreWhatTheContractSays() throws Exception {
        Map<String, @Nullable Object> full = full();
        Map<String, @Nullable Object> bare = row(BARE, 101, 0, 6L, 101L, List.of());
        Map<String, @Nullable Object> gone = row(GONE, 102, 102, null, null, null);

        Cdc.runOnce(config, client, false, REGISTRY);
        ParquetJava delta = onlyFile();
        assertThat(delta.asOptional()).isEqualTo(SCHEMA);
        assertThat(delta.rows()).containsExactlyInAnyOrder(full, bare, gone);

        Cdc.exportBase(config, client, 9, BaseExportOptions.DEFAULTS.replacingDeltas(), REGISTRY);
        ParquetJava base = onlyFile();
        assertThat(base.asOptional()).isEqualTo(SCHEMA);
        assertThat(base.rows()).containsExactlyInAnyOrder(full, bare);

        sql(
                "UPDATE entity_main SET ltbase_updated_at = 200, text_01 = 'now' WHERE ltbase_row_id = '" + BARE + "'",
                "INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (9, '" + BARE + "', 200)");
        Cdc.runOnce(config, client, false, REGISTRY);
        Cdc.compact(config, CompactionConfig.builder().schemaId(9).build(), client);
        Map<String, @Nullable Object> changed = row(BARE, 200, 0, 6L, 200L, List.of());
        changed.put("b_text", "now");
        ParquetJava compacted = onlyFile();
        assertThat(compacted.asOptional()).isEqualTo(SCHEMA);
        // By row id, which is an unsigned number to a reader.
        assertThat(compacted.rows()).containsExactly(changed, full);
    }

    private static ParquetJava onlyFile() throws Exception {
        List<ParquetJava> files = listedFiles();
        assertThat(files).hasSize(1);
        return files.get(0);
    }

    private static Map<String, @Nullable Object> full() {
        Map<String, @Nullable Object> row = row(FULL, 100, 0, 5L, 100L, null);
        row.putAll(Map.of("b_text", "größe 😀", "b_small", -32768, "b_int", 2147483647, "b_big", BIG, "b_num", 0.1));
        row.putAll(Map.of("b_uuid", OTHER, "b_date", DAY, "b_bool", true, "e_text", "it's", "e_small", 1.5));
        row.putAll(Map.of("e_big", BIG, "e_num", 0.3, "e_date", DAY, "e_uuid", OTHER.toString(), "e_bool", true));
        row.put("l_text", Arrays.asList("first", null, "last"));
        row.put("l_big", List.of(BIG));
        return row;
    }

    private static Map<String, @Nullable Object> row(
            UUID id,
            long changedAt,
            long deletedAt,
            @Nullable Long createdAt,
            @Nullable Long updatedAt,
            @Nullable List<String> texts) {
        Map<String, @Nullable Object> row = new HashMap<>();
        ATTRIBUTES.attributes().forEach(attribute -> row.put(attribute.name(), null));
        row.put("schema_id", 9);
        row.put("row_id", id);
        row.put("changed_at", changedAt);
        row.put("deleted_at", deletedAt);
        row.put("ltbase_created_at", createdAt);
        row.put("ltbase_updated_at", updatedAt);
        row.put("ltbase_deleted_at", null);
        row.put("l_text", texts);
        return row;
    }
}
