package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.UuidV7;
import io.formacdc.manifest.SweepOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LakeIT {
    private static final UUID ID = UUID.fromString("ffffffff-0000-0000-0000-000000000001");

    @TempDir
    Path spill;

    private TestHost host;
    private CdcConfig config;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        config = host.config().spillDirectory(spill.toString()).build();
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void withoutAManifestTheBucketIsListedAndWhatIsStagedIsLeftOut() throws SQLException {
        CdcConfig unlisted = config.toBuilder().manifestPrefix("").build();
        host.insert(1, ID, 1);
        Cdc.runOnce(unlisted, host.client, false, null);
        byte[] noParquet = "no Parquet".getBytes(StandardCharsets.UTF_8);
        host.store().putIfAbsent(CdcPaths.buildTempPath(config.s3Prefix(), 1, UuidV7.next()), noParquet);
        host.store().putIfAbsent(CdcPaths.buildDeltaPath(config.s3Prefix(), 12, UuidV7.next()), noParquet);
        try (Lake lake = Lake.open(unlisted, host.client, 1)) {
            assertThat(lake.keys()).hasSize(1);
            assertThat(TestHost.column(lake.connection(), "SELECT row_id FROM lake"))
                    .containsExactly(ID.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 100, -40})
    void aDamagedFileIsNamedNotRead(int at) throws Exception {
        host.insert(1, ID, 1);
        host.flush(null);
        String key = host.listedKeys(1).get(0);
        Path file = spill.resolve("copy");
        host.store().download(key, file);
        byte[] content = Files.readAllBytes(file);
        content[at < 0 ? content.length + at : at] ^= 0x55;
        host.store().put(key, Files.write(file, content));
        assertThatThrownBy(() -> Lake.open(config, host.client, 1))
                .isInstanceOf(CdcException.class)
                .hasMessageStartingWith("\"" + key + "\" has checksum sha256:");
        CdcConfig unlisted = config.toBuilder().manifestPrefix("").build();
        host.store().put(key, Files.writeString(file, "no Parquet"));
        assertThatThrownBy(() -> Lake.open(unlisted, host.client, 1))
                .isInstanceOf(CdcException.class)
                .hasMessage("schema 1 of the lake cannot be read: \"" + key + "\" is no Parquet file");
    }

    @Test
    void aLakeWithoutFilesIsEmptyButForDirtyRows() throws SQLException {
        try (Lake lake = Lake.open(config, host.client, 1)) {
            assertThat(TestHost.rows(lake.connection(), "SELECT row_id, changed_at FROM lake"))
                    .isEmpty();
        }
        host.insert(1, ID, 1);
        host.sql("UPDATE entity_main SET text_01 = 'hot'");
        try (Lake lake = Lake.openWithDirtyRows(config, host.client, 1, null)) {
            assertThat(lake.keys()).isEmpty();
            assertThat(TestHost.rows(lake.connection(), "SELECT row_id, text_01 FROM lake"))
                    .containsExactly(List.of(ID.toString(), "hot"));
        }
    }

    @Test
    void whatDoesNotGoToPostgresNeedsNoneInItsConfiguration() throws SQLException {
        host.insert(1, ID, 1);
        host.flush(null);
        CdcConfig filesAlone = config.toBuilder()
                .pgHost("")
                .pgPort(0)
                .pgUser("")
                .pgPassword("")
                .pgDb("")
                .build();
        assertThat(Cdc.compact(filesAlone, CompactionConfig.builder().build(), host.client)
                        .schemas())
                .hasSize(1);
        assertThat(Cdc.sweep(filesAlone, SweepOptions.DEFAULTS, host.client)).hasSize(1);
        try (Lake lake = Lake.open(filesAlone, host.client, 1)) {
            assertThat(lake.keys()).hasSize(1);
        }
        assertThatThrownBy(() -> Cdc.runOnce(filesAlone, host.client, true, null))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("pgHost is not set");
    }

    @Test
    void aHostsOwnConnectionsShowItsDirtyRows() throws SQLException {
        host.insert(1, ID, 1);
        CdcConfig withoutPostgres = config.toBuilder().pgHost("").pgDb("").build();
        try (CdcRunner runner = CdcRunner.builder(withoutPostgres)
                        .s3Client(host.client)
                        .dataSource(host.postgres.dataSource())
                        .build();
                Lake lake = runner.openLakeWithDirtyRows(1)) {
            assertThat(TestHost.column(lake.connection(), "SELECT row_id FROM lake"))
                    .containsExactly(ID.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 32_768})
    void anImpossibleSchemaIdIsRefusedInTheSameWayEverywhere(int schemaId) {
        List<ThrowingCallable> calls = List.of(
                () -> Lake.open(config, host.client, schemaId),
                () -> Lake.openWithDirtyRows(config, host.client, schemaId, null),
                () -> Cdc.exportBase(config, host.client, schemaId, BaseExportOptions.DEFAULTS, null),
                () -> Cdc.planBase(config, host.client, schemaId, BaseExportOptions.DEFAULTS, null),
                () -> Cdc.purgeFlushed(config, host.client, schemaId, Duration.ofDays(1)),
                () -> Cdc.reconcile(config, host.client, schemaId, ReconcileReport.Depth.LISTING),
                () -> Cdc.repair(config, host.client, schemaId));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("schema id must be 1 to 32767, not " + schemaId);
        }
        assertThat(host.objects()).isEmpty();
    }

    @Test
    void theCopiesAreGoneAfterwards() throws Exception {
        host.insert(1, ID, 1);
        host.flush(null);
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (1, '" + ID + "', 2)");
        try (Lake lake = Lake.openWithDirtyRows(config, host.client, 1, null)) {
            assertThat(TestHost.column(lake.connection(), "SELECT changed_at FROM lake"))
                    .containsExactly("2");
            try (var folders = Files.list(spill)) {
                assertThat(folders).hasSize(1);
            }
        }
        assertThat(spill).isEmptyDirectory();
    }

    @Test
    void aFileThatIsNoParquetIsAClearErrorAndLeavesNothing() {
        CdcConfig unlisted = config.toBuilder().manifestPrefix("").build();
        host.store().putIfAbsent(CdcPaths.buildDeltaPath(config.s3Prefix(), 1, UuidV7.next()), new byte[] {1, 2, 3});
        assertThatThrownBy(() -> Lake.open(unlisted, host.client, 1))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("schema 1 of the lake cannot be read");
        assertThat(spill).isEmptyDirectory();
    }

    @Test
    void aSchemaThatTheRegistryDoesNotKnowIsRefused() {
        assertThatThrownBy(() -> Lake.openWithDirtyRows(config, host.client, 9, id -> Optional.empty()))
                .isInstanceOf(CdcException.class)
                .hasMessageContaining("does not know schema 9");
        assertThat(spill).isEmptyDirectory();
    }
}
