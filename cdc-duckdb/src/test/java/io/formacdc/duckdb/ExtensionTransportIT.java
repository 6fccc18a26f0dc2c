package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.core.Transport;
import io.formacdc.s3.S3ObjectClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the extension transport refuses, and its exports by hand. */
class ExtensionTransportIT {
    private static TestHost host;

    @TempDir
    private Path folder;

    private Entities entities;
    private CdcConfig config;

    @BeforeAll
    static void start() throws SQLException {
        host = new TestHost();
    }

    @AfterAll
    static void stop() throws SQLException {
        host.close();
    }

    @BeforeEach
    void createEntities() throws SQLException {
        host.sql("TRUNCATE change_log, entity_main, eav_data");
        entities = new Entities(host, 7).insertMany(20);
        config = host.config()
                .transport(Transport.EXTENSIONS)
                .duckExtensionDirectory(folder.toString())
                .spillDirectory(folder.resolve("spill").toString())
                .build();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void missingExtensionsAreNamedBeforeAnythingIsDone(boolean dryRun) throws SQLException {
        String before = host.tables();
        System.setProperty("aws.accessKeyId", "key");
        System.setProperty("aws.secretAccessKey", "secret");
        try {
            assertThat(catchThrowable(() -> Cdc.runOnce(config, host.client, dryRun, Entities.REGISTRY)))
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining(
                            "schema 7, export of 20 rows: transport EXTENSIONS needs DuckDB extensions that cannot be loaded into v")
                    .hasMessageContaining("postgres (")
                    .hasMessageContaining("httpfs (")
                    .hasMessageContaining("lacks postgres_scanner.duckdb_extension and httpfs.duckdb_extension")
                    .hasMessageContaining("use transport BUILT_IN");
        } finally {
            System.clearProperty("aws.accessKeyId");
            System.clearProperty("aws.secretAccessKey");
        }
        assertThat(host.tables()).isEqualTo(before);
        assertThat(host.objects()).isEmpty();
        assertThat(folder.resolve("spill")).isEmptyDirectory();
        assertThatThrownBy(() -> DuckExporter.open(config, "key", "secret"))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("postgres_scanner.duckdb_extension");
    }

    @Test
    void fileOfAnotherDuckDbIsNamedToo() throws Exception {
        Path extensions = Files.createDirectories(folder.resolve(duckDb("SELECT library_version FROM pragma_version()"))
                .resolve(duckDb("SELECT platform FROM pragma_platform()")));
        for (String name : List.of("postgres_scanner", "httpfs")) {
            Files.writeString(extensions.resolve(name + ".duckdb_extension"), "x".repeat(1000));
        }
        assertThatThrownBy(() -> DuckExporter.open(config, "key", "secret"))
                .hasMessageContaining("the files in " + extensions + " are of another DuckDB, perhaps");
    }

    private static String duckDb(String sql) throws SQLException {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            return Entities.rows(duckDb, sql).get(0);
        }
    }

    @Test
    void dryRunLoadsTheExtensionsAndWritesNothing() throws SQLException {
        StandInExtensions standIn = new StandInExtensions(host, folder);
        CdcConfig loadable = config.toBuilder().duckExtensionDirectory("").build();
        String before = host.tables();
        assertThat(new ExtensionFlush(host, loadable, host.client, standIn)
                        .run(Entities.REGISTRY, true)
                        .rows())
                .isEqualTo(20);
        assertThat(standIn.statements).anyMatch(sql -> sql.startsWith("LOAD "));
        assertThat(host.tables()).isEqualTo(before);
        assertThat(host.objects()).isEmpty();
        assertThat(folder.resolve("spill")).isEmptyDirectory();
    }

    @Test
    void manifestsNeedAClientThatGetsAndPuts() {
        S3ObjectClient client = new CopyAndDelete(host.client);
        assertThatThrownBy(() -> CdcRunner.create(config, client, null))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("manifests are also got and put")
                .hasMessageContaining("S3FullClient");
        CdcConfig withoutManifest = config.toBuilder().manifestPrefix("").build();
        CdcRunner.create(withoutManifest, client, null).close();
        CdcConfig builtIn =
                withoutManifest.toBuilder().transport(Transport.BUILT_IN).build();
        assertThatThrownBy(() -> CdcRunner.create(builtIn, client, null))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("files are also got and put");
    }

    @Test
    void exporterByClientIsRefusedBecauseDuckDbNeedsAKey() {
        assertThatThrownBy(() -> DuckExporter.open(config, host.client))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("access key");
    }

    @Test
    void exportsByHandAreThoseOfTheBuiltInTransport() throws SQLException {
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            entities.delete(writer, entities.id(3), Entities.FIRST_VERSION + 100);
        }
        List<UUID> ids = List.of(entities.id(1), entities.id(2), entities.id(3), entities.id(1), entities.id(77));
        StandInExtensions standIn = new StandInExtensions(host, folder);
        String staged = "s3://" + host.bucket() + "/" + host.key("staged.parquet");
        try (DuckExporter byExtensions = open(standIn);
                DuckExporter builtIn = DuckExporter.open(
                        config.toBuilder().transport(Transport.BUILT_IN).build(), host.client)) {
            FileContents inBucket = exportTo(byExtensions, staged, ids);
            assertThat(inBucket.checksum()).isNull();
            assertThat(inBucket.sizeBytes())
                    .isEqualTo(host.store().head(host.key("staged.parquet")).sizeBytes());
            host.store().download(host.key("staged.parquet"), folder.resolve("1.parquet"));
            FileContents expected =
                    exportTo(builtIn, folder.resolve("2.parquet").toString(), ids);
            assertThat(inBucket.rowCount()).isEqualTo(expected.rowCount()).isEqualTo(3);
            assertThat(inBucket.rowIds()).isEqualTo(expected.rowIds());
            assertThat(inBucket.versions()).isEqualTo(expected.versions());
            assertThat(inBucket.columns()).isEqualTo(expected.columns());
            assertSameRows("1.parquet", "2.parquet");

            FileContents base = exportBaseTo(byExtensions, folder.resolve("new/3.parquet"), ids);
            assertThat(base.checksum()).isEqualTo(FileContents.checksumOf(folder.resolve("new/3.parquet")));
            exportBaseTo(builtIn, folder.resolve("4.parquet"), ids);
            assertSameRows("new/3.parquet", "4.parquet");
        }
        assertThat(standIn.statements)
                .filteredOn(sql -> sql.contains("postgres_query"))
                .allSatisfy(sql ->
                        assertThat(sql.split(entities.id(2).toString(), -1)).hasSize(2));
    }

    @Test
    void nothingIsThereAfterAFailedExport() {
        StandInExtensions standIn = new StandInExtensions(host, folder);
        standIn.step = (sql, done) -> {
            if (sql.startsWith("SELECT count")) {
                throw new SQLException("injected");
            }
        };
        try (DuckExporter exporter = open(standIn)) {
            String key = host.key("failed.parquet");
            List<UUID> ids = List.of(entities.id(1));
            assertThatThrownBy(() -> exportTo(exporter, "s3://" + host.bucket() + "/" + key, ids))
                    .isInstanceOf(CdcException.class);
            assertThat(host.dataKeys()).doesNotContain(key);
            Path file = folder.resolve("failed.parquet");
            assertThatThrownBy(() -> exportTo(exporter, file.toString(), ids)).isInstanceOf(CdcException.class);
            assertThat(file).doesNotExist();
        }
    }

    @Test
    void knobsAreNamedWhereMemoryOrTimeRunsOut() {
        StandInExtensions standIn = new StandInExtensions(host, folder);
        standIn.step = (sql, done) -> {
            if (sql.startsWith("COPY")) {
                throw new SQLException("Out of Memory Error: could not allocate block of size 256.0 KiB");
            }
        };
        CdcConfig loadable = config.toBuilder().duckExtensionDirectory("").build();
        assertThatThrownBy(() -> new ExtensionFlush(host, loadable, host.client, standIn).run(Entities.REGISTRY))
                .hasMessageContaining("raise duckMemLimit, which is 512MB, or lower duckThreads, which is 2");
        CdcConfig hasty = loadable.toBuilder().queryTimeout(Duration.ofNanos(1)).build();
        assertThatThrownBy(() -> new ExtensionFlush(host, hasty, host.client, standIn).run(Entities.REGISTRY))
                .hasMessageContaining("the export took longer than queryTimeout PT0.000000001S");
    }

    private DuckExporter open(UnaryOperator<Connection> around) {
        return DuckExporter.open(
                config.toBuilder().duckExtensionDirectory("").build(),
                TestHost.s3().accessKey(),
                TestHost.s3().secretKey(),
                around);
    }

    private static FileContents exportTo(DuckExporter exporter, String path, List<UUID> ids) {
        return exporter.exportSnapshotToTmp(host.connectionString(), path, 7, Long.MAX_VALUE, ids, Entities.ATTRIBUTES);
    }

    private static FileContents exportBaseTo(DuckExporter exporter, Path path, List<UUID> ids) {
        return exporter.exportBaseFileToTmp(host.connectionString(), path.toString(), 7, ids, Entities.ATTRIBUTES);
    }

    private void assertSameRows(String one, String other) throws SQLException {
        String rows = "SELECT t::text FROM read_parquet('" + folder + "/%s') t ORDER BY row_id";
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            assertThat(Entities.rows(duckDb, rows.formatted(one)))
                    .isNotEmpty()
                    .isEqualTo(Entities.rows(duckDb, rows.formatted(other)));
        }
    }
}
