package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcException;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.Snapshot;
import io.formacdc.core.SnapshotExporterContract;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Dirty rows of a real PostgreSQL, exported through DuckDB. */
class PgExporterIT extends SnapshotExporterContract {
    @TempDir
    Path folder;

    private TestHost host;
    private InterruptWatch watch;
    private PgExporter exporter;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        watch = InterruptWatch.open();
        exporter = new PgExporter(
                host.config().spillDirectory(folder.toString()).build().withDefaults(),
                new TrackedConnections(host.postgres.dataSource()),
                watch);
    }

    @AfterEach
    void close() throws SQLException {
        exporter.close();
        watch.close();
        host.close();
    }

    @Test
    void aFileOfOtherRowsThanWereSelectedIsNotHandedOut() throws Exception {
        UUID row = new UUID(1, 1);
        dirty(7, row, 100);
        try (Snapshot snapshot = exporter.openSnapshot(7, null)) {
            Chunk two = new Chunk(null, row, 2, List.of());
            assertThatThrownBy(() -> snapshot.export(two, rows -> {}))
                    .isInstanceOf(CdcException.class)
                    .hasMessage("the file holds 1 rows, and 2 were selected");
        }
        try (Stream<Path> left = Files.walk(folder)) {
            assertThat(left).noneMatch(file -> file.toString().endsWith(".parquet"));
        }
    }

    @Override
    protected SnapshotExporter exporter() {
        return exporter;
    }

    @Override
    protected void dirty(int schemaId, UUID rowId, long changedAtMillis) throws SQLException {
        host.sql(
                "INSERT INTO change_log (schema_id, row_id, changed_at) VALUES (?, ?, ?)"
                        + " ON CONFLICT (schema_id, row_id, flushed_at) DO UPDATE SET changed_at = excluded.changed_at",
                schemaId,
                rowId,
                changedAtMillis);
    }

    @Override
    protected Path folder() {
        return folder;
    }
}
