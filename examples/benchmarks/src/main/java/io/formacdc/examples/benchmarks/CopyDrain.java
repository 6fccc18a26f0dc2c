package io.formacdc.examples.benchmarks;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * The least that any export has to do: the rows that it needs, read by binary COPY through the same driver, one table
 * after another, and thrown away.
 */
final class CopyDrain {
    private static final String HOT_COLUMNS = "text_01, text_02, text_03, text_04, smallint_01, integer_01, integer_02,"
            + " integer_03, bigint_01, bigint_02, bigint_03, double_01, double_02, double_03, double_04, uuid_01";

    private CopyDrain() {}

    /** Change log, entities and attributes. */
    static void ofDirtyRows(Connection connection, int schemaId) throws SQLException {
        drain(
                connection,
                "SELECT row_id, changed_at, deleted_at, xmin FROM change_log WHERE schema_id = " + schemaId
                        + " AND flushed_at = 0");
        ofLiveRows(connection, schemaId);
    }

    /** Entities and attributes. */
    static void ofLiveRows(Connection connection, int schemaId) throws SQLException {
        drain(
                connection,
                "SELECT ltbase_row_id, ltbase_created_at, ltbase_updated_at, ltbase_deleted_at, " + HOT_COLUMNS
                        + " FROM entity_main WHERE ltbase_schema_id = " + schemaId);
        drain(
                connection,
                "SELECT row_id, attr_id, array_indices, value_text, value_numeric FROM eav_data" + " WHERE schema_id = "
                        + schemaId);
    }

    /** Marks all dirty rows as a program would that is alone in the world. */
    static void mark(Connection connection, int schemaId) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate(
                    "UPDATE change_log SET flushed_at = 1 WHERE schema_id = " + schemaId + " AND flushed_at = 0");
        }
    }

    private static void drain(Connection connection, String query) throws SQLException {
        CopyOut copy = connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyOut("COPY (" + query + ") TO STDOUT (FORMAT BINARY)");
        while (copy.readFromCopy() != null) {
            // Arrived.
        }
    }
}
