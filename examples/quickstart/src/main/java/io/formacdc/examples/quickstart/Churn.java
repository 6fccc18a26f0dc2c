package io.formacdc.examples.quickstart;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * What the writers of a host do. Every change is one transaction over the entity, its EAV rows and the change log, and
 * gives the row a version greater than any it had.
 */
final class Churn {
    private static final String NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    /** Marks rows dirty; those that are dirty already get the newer version. */
    private static final String INTO_CHANGE_LOG = """
            INSERT INTO change_log (schema_id, row_id, flushed_at, changed_at, deleted_at)
            SELECT 1, row_id, 0, version, %s FROM changed
            ON CONFLICT (schema_id, row_id, flushed_at)
            DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at""";

    private static final String MARK_LIVE = INTO_CHANGE_LOG.formatted("NULL");
    private static final String MARK_DELETED = INTO_CHANGE_LOG.formatted("version");

    private final Connection postgres;

    Churn(Connection postgres) throws SQLException {
        this.postgres = postgres;
        try (Statement statement = postgres.createStatement()) {
            statement.execute("CREATE TEMP TABLE IF NOT EXISTS kept_entity (LIKE entity_main)");
            statement.execute("CREATE TEMP TABLE IF NOT EXISTS kept_eav (LIKE eav_data)");
        }
    }

    /** Changes the name, rounds the latitude, and empties the list of codes. Returns how many. */
    long rename(String initial) throws SQLException {
        return inTransaction(
                changed(initial),
                """
                UPDATE entity_main SET text_01 = text_01 || ' (renamed)', ltbase_updated_at = version
                FROM changed WHERE ltbase_schema_id = 1 AND ltbase_row_id = row_id""",
                """
                UPDATE eav_data e SET value_numeric = round(value_numeric, 1)
                FROM changed WHERE schema_id = 1 AND e.row_id = changed.row_id AND attr_id = 5""",
                "DELETE FROM eav_data WHERE schema_id = 1 AND attr_id = 7 AND row_id IN (SELECT row_id FROM changed)",
                "INSERT INTO eav_data (schema_id, row_id, attr_id) SELECT 1, row_id, 7 FROM changed",
                MARK_LIVE);
    }

    /** Deletes entities; all that is left of each is its dirty row. Returns how many. */
    long delete(String initial) throws SQLException {
        return inTransaction(
                changed(initial),
                """
                INSERT INTO kept_entity
                SELECT * FROM entity_main WHERE ltbase_schema_id = 1 AND ltbase_row_id IN (SELECT row_id FROM changed)""",
                """
                INSERT INTO kept_eav
                SELECT * FROM eav_data WHERE schema_id = 1 AND row_id IN (SELECT row_id FROM changed)""",
                "DELETE FROM eav_data WHERE schema_id = 1 AND row_id IN (SELECT row_id FROM changed)",
                "DELETE FROM entity_main WHERE ltbase_schema_id = 1 AND ltbase_row_id IN (SELECT row_id FROM changed)",
                MARK_DELETED);
    }

    /** Brings deleted entities back under their old row ids. Returns how many. */
    long recreate(String initial) throws SQLException {
        return inTransaction(
                """
                CREATE TEMP TABLE changed ON COMMIT DROP AS
                SELECT row_id, greatest(max(changed_at) + 1, %s) AS version FROM change_log
                WHERE schema_id = 1
                  AND row_id IN (SELECT ltbase_row_id FROM kept_entity WHERE text_01 LIKE '%s%%')
                GROUP BY row_id""".formatted(NOW, initial),
                """
                INSERT INTO entity_main
                SELECT kept.* FROM kept_entity kept JOIN changed ON ltbase_row_id = row_id""",
                """
                UPDATE entity_main SET ltbase_created_at = version, ltbase_updated_at = version
                FROM changed WHERE ltbase_schema_id = 1 AND ltbase_row_id = row_id""",
                "INSERT INTO eav_data SELECT kept.* FROM kept_eav kept JOIN changed USING (row_id)",
                MARK_LIVE);
    }

    /** Changes one value without a word to the change log, as no writer may. */
    static void plantDifference(Connection postgres) throws SQLException {
        try (Statement statement = postgres.createStatement()) {
            statement.execute("""
                    UPDATE eav_data SET value_numeric = value_numeric + 0.00001
                    WHERE schema_id = 1 AND attr_id = 5 AND row_id = (SELECT max(ltbase_row_id::text)::uuid FROM entity_main)""");
        }
    }

    private static String changed(String initial) {
        return """
                CREATE TEMP TABLE changed ON COMMIT DROP AS
                SELECT ltbase_row_id AS row_id, greatest(ltbase_updated_at + 1, %s) AS version
                FROM entity_main WHERE ltbase_schema_id = 1 AND text_01 LIKE '%s%%'""".formatted(NOW, initial);
    }

    /** Executes the statements; returns how many rows the last changed. */
    private long inTransaction(String... statements) throws SQLException {
        postgres.setAutoCommit(false);
        try (Statement statement = postgres.createStatement()) {
            long rows = 0;
            for (String sql : statements) {
                rows = statement.executeUpdate(sql);
            }
            postgres.commit();
            return rows;
        } finally {
            postgres.setAutoCommit(true);
        }
    }
}
