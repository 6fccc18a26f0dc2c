package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DuckDB takes a folder called {@code amount=99} for a column, if nobody tells it otherwise. */
class FolderNamesIT {
    private static final String HIVE = "amount=99/changed_at=5/deleted_at=7/row_id=1/env=prod";

    @Test
    void aFolderOnTheWayToTheFilesGivesRowsNothing(@TempDir Path folder) throws SQLException, IOException {
        Path spill = Files.createDirectories(folder.resolve(HIVE));
        try (TestHost host = new TestHost()) {
            CdcConfig config = host.config().spillDirectory(spill.toString()).build();
            Entities entities = new Entities(host, 7).insertMany(500);
            Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
            entities.updateAll(host.connection);
            entities.assertViewEqualsPostgres(config);
            Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
            entities.assertLakeEqualsPostgres(config);
            assertClean(config, host);

            CompactionConfig compaction = CompactionConfig.builder().schemaId(7).build();
            assertThat(Cdc.compact(config, compaction, host.client)
                            .schemas()
                            .get(0)
                            .outcome())
                    .isEqualTo(Outcome.COMPACTED);

            entities.assertLakeEqualsPostgres(config);
            entities.assertLakeEqualsPostgres(host.config().build());
            assertClean(config, host);
            try (Lake lake = host.lake(7)) {
                assertThat(TestHost.column(lake.connection(), "SELECT column_name FROM (DESCRIBE lake)"))
                        .doesNotContain("env");
            }
            assertTheViewReadsAsMuch(folder, host);
        }
    }

    private static void assertClean(CdcConfig config, TestHost host) {
        ReconcileReport report = Cdc.reconcile(config, host.client, 7, ReconcileReport.Depth.CONTENTS);
        assertThat(report.isClean()).as("%s", report.findings()).isTrue();
    }

    private static void assertTheViewReadsAsMuch(Path folder, TestHost host) throws SQLException, IOException {
        Path bucket = Files.createDirectories(folder.resolve("bucket").resolve(HIVE));
        List<String> copies = new ArrayList<>();
        for (String key : host.listedKeys(7)) {
            Path copy = bucket.resolve(copies.size() + ".parquet");
            host.store().download(key, copy);
            copies.add(copy.toString());
        }
        String rows = "SELECT * FROM %s ORDER BY row_id";
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement();
                Lake lake = host.lake(7)) {
            LakeView.create(duckDb, "v", copies, null);
            assertThat(TestHost.rows(duckDb, rows.formatted("v")))
                    .isEqualTo(TestHost.rows(lake.connection(), rows.formatted("lake")))
                    .hasSize(500);
            statement.execute("CREATE VIEW dirty_only AS " + LakeView.sql(List.of(), copies.get(0)));
            assertThat(TestHost.column(duckDb, "SELECT DISTINCT (changed_at = 5)::VARCHAR FROM dirty_only"))
                    .containsExactly("false");
        }
    }
}
