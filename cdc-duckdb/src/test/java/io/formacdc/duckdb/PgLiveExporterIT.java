package io.formacdc.duckdb;

import io.formacdc.core.LiveExporter;
import io.formacdc.core.LiveExporterContract;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Live rows of a real PostgreSQL, exported through DuckDB. */
class PgLiveExporterIT extends LiveExporterContract {
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

    @Override
    protected LiveExporter exporter() {
        return exporter;
    }

    @Override
    protected void write(int schemaId, UUID rowId, long updatedAtMillis) throws SQLException {
        host.sql(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at)"
                        + " VALUES (?, ?, 1, ?) ON CONFLICT (ltbase_schema_id, ltbase_row_id) DO UPDATE"
                        + " SET ltbase_updated_at = excluded.ltbase_updated_at, ltbase_deleted_at = NULL",
                schemaId,
                rowId,
                updatedAtMillis);
    }

    /** Of the two ways of a writer the one that must be told from being live. */
    @Override
    protected void delete(int schemaId, UUID rowId) throws SQLException {
        host.sql(
                "UPDATE entity_main SET ltbase_deleted_at = 5 WHERE ltbase_schema_id = ? AND ltbase_row_id = ?",
                schemaId,
                rowId);
    }

    @Override
    protected Path folder() {
        return folder;
    }
}
