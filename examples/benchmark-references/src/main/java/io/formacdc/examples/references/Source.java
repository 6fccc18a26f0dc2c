package io.formacdc.examples.references;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** The schema to export. */
record Source(String jdbcUrl, String user, String password, int schemaId) {
    /** Text attributes, numbers, and the hot columns, as the workload has them. */
    static final int[] TEXT_ATTRIBUTES = {101, 102, 103};

    static final int[] NUMBER_ATTRIBUTES = {111, 112, 113};

    static final String HOT_COLUMNS = "text_01, text_02, text_03, text_04, smallint_01, integer_01, integer_02,"
            + " integer_03, bigint_01, bigint_02, bigint_03, double_01, double_02, double_03, double_04, uuid_01";

    /** Every dirty row with its entity, in row-id order. */
    String entities() {
        return "SELECT c.row_id, c.changed_at, coalesce(c.deleted_at, 0) AS deleted_at, m.ltbase_created_at,"
                + " m.ltbase_updated_at, m.ltbase_deleted_at, " + HOT_COLUMNS
                + " FROM change_log c LEFT JOIN entity_main m ON m.ltbase_schema_id = c.schema_id"
                + " AND m.ltbase_row_id = c.row_id WHERE c.schema_id = " + schemaId + " AND c.flushed_at = 0"
                + " ORDER BY c.row_id";
    }

    /** The other attributes of these, in the same order. */
    String attributes() {
        return "SELECT e.row_id, e.attr_id, e.value_text, e.value_numeric::float8 FROM eav_data e JOIN change_log c"
                + " ON c.schema_id = e.schema_id AND c.row_id = e.row_id WHERE e.schema_id = " + schemaId
                + " AND c.flushed_at = 0 ORDER BY e.row_id";
    }

    Connection connect() throws SQLException {
        Connection connection = DriverManager.getConnection(jdbcUrl, user, password);
        connection.setAutoCommit(false);
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        return connection;
    }
}
