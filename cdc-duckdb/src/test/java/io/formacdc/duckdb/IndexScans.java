package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What an export's reading cost the server.
 *
 * @param rows in the file
 * @param scans how often a search in the tables' indexes began
 */
record IndexScans(long rows, long scans) {
    /** Exports rows, by one reader, and counts. */
    static IndexScans of(TestHost host, CdcConfig config, ExportedRows rows, SchemaAttributes attributes)
            throws SQLException {
        TrackedConnections connections = new TrackedConnections(host.postgres.dataSource());
        try (InterruptWatch watch = InterruptWatch.open();
                PgSessions sessions = new PgSessions(connections);
                PgSnapshot snapshot = PgSnapshot.open(sessions);
                ParquetWriter writer = ParquetWriter.open(config)) {
            Connection first = snapshot.borrow();
            Projection projection = Projection.of(
                    TableCatalog.read(
                            first,
                            TableName.parse("change_log"),
                            TableName.parse("entity_main"),
                            TableName.parse("eav_data")),
                    attributes);
            snapshot.giveBack(first);
            try (ExportedFile file = writer.write(new ParquetWriter.Export(
                    rows.all().schemaId(),
                    watch,
                    connections,
                    snapshot,
                    rows,
                    projection,
                    ParquetWriter.Versions.NOT_KEPT,
                    1,
                    1,
                    read -> {}))) {
                return new IndexScans(file.contents().rowCount(), sumOf(snapshot));
            }
        }
    }

    /** Of all its connections, which are two at most with one reader. */
    private static long sumOf(PgSnapshot snapshot) throws SQLException {
        List<Connection> borrowed = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < 2; i++) {
            Connection connection = snapshot.borrow();
            borrowed.add(connection);
            sum += Long.parseLong(requireNonNull(TestHost.column(
                            connection,
                            "SELECT sum(coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables"
                                    + " WHERE relname IN ('change_log', 'entity_main', 'eav_data')")
                    .get(0)));
        }
        borrowed.forEach(snapshot::giveBack);
        return sum;
    }
}
