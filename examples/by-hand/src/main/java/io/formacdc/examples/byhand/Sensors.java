package io.formacdc.examples.byhand;

import io.formacdc.core.Attribute;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.ValueType;
import io.formacdc.duckdb.Lake;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The entities of the example, and what writers do to them: entity, EAV rows and dirty row in one transaction. */
final class Sensors {
    static final int SCHEMA_ID = 4;
    static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "sensor",
            List.of(
                    Attribute.bound("name", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("floor", 2, ValueType.SMALLINT, "smallint_01"),
                    Attribute.eav("reading", 3, ValueType.NUMERIC)));

    private static final String IN_POSTGRES = """
            SELECT concat_ws('|', ltbase_row_id, ltbase_updated_at, text_01, smallint_01, value_numeric::float8)
            FROM entity_main
            LEFT JOIN eav_data ON schema_id = ltbase_schema_id AND row_id = ltbase_row_id AND attr_id = 3
            WHERE ltbase_schema_id = 4 ORDER BY ltbase_row_id""";

    private static final String IN_LAKE = """
            SELECT concat_ws('|', row_id, changed_at, name, floor, CASE WHEN reading = trunc(reading)
                THEN reading::BIGINT::VARCHAR ELSE reading::VARCHAR END) FROM lake ORDER BY row_id""";

    private Sensors() {}

    /** Creates sensors. */
    static void install(Connection postgres, int count) throws SQLException {
        transaction(postgres, """
                INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, smallint_01, ltbase_created_at,
                  ltbase_updated_at)
                SELECT 4, md5(n::text)::uuid, 'sensor ' || n, n %% 7, 1000 + n, 1000 + n
                FROM generate_series(1, %d) n""".formatted(count), """
                INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric)
                SELECT 4, md5(n::text)::uuid, 3, n / 4.0 FROM generate_series(1, %d) n""".formatted(count), """
                INSERT INTO change_log (schema_id, row_id, changed_at)
                SELECT 4, md5(n::text)::uuid, 1000 + n FROM generate_series(1, %d) n""".formatted(count));
    }

    /** Gives every third sensor another reading, and removes those of floor 6. */
    static void live(Connection postgres) throws SQLException {
        transaction(
                postgres,
                """
                CREATE TEMP TABLE touched ON COMMIT DROP AS
                SELECT ltbase_row_id AS row_id, smallint_01 = 6 AS gone, ltbase_updated_at + 1000000 AS version
                FROM entity_main WHERE ltbase_schema_id = 4 AND (smallint_01 = 6 OR ltbase_created_at % 3 = 0)""",
                "UPDATE eav_data e SET value_numeric = value_numeric * 2 FROM touched t WHERE e.row_id = t.row_id",
                "UPDATE entity_main SET ltbase_updated_at = version FROM touched WHERE ltbase_row_id = row_id",
                "DELETE FROM eav_data e USING touched t WHERE gone AND e.row_id = t.row_id",
                "DELETE FROM entity_main USING touched WHERE gone AND ltbase_row_id = row_id",
                """
                INSERT INTO change_log (schema_id, row_id, changed_at, deleted_at)
                SELECT 4, row_id, version, CASE WHEN gone THEN version END FROM touched
                ON CONFLICT (schema_id, row_id, flushed_at)
                DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at""");
    }

    /** Changes one value behind the change log's back. */
    static void plantDifference(Connection postgres) throws SQLException {
        transaction(
                postgres,
                "UPDATE entity_main SET text_01 = 'planted' WHERE ltbase_row_id ="
                        + " (SELECT min(ltbase_row_id::text)::uuid FROM entity_main)");
    }

    /** Sensors whose row is not the same in both, or is in one only; empty if all are equal. */
    static List<String> differences(Connection postgres, Lake lake) throws SQLException {
        List<String> expected = rows(postgres, IN_POSTGRES);
        List<String> different = rows(lake.connection(), IN_LAKE);
        List<String> onlyInPostgres = new ArrayList<>(expected);
        onlyInPostgres.removeAll(new java.util.HashSet<>(different));
        different.removeAll(new java.util.HashSet<>(expected));
        different.addAll(onlyInPostgres);
        return different;
    }

    static int count(Connection postgres) throws SQLException {
        return rows(postgres, IN_POSTGRES).size();
    }

    private static List<String> rows(Connection connection, String sql) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                rows.add(result.getString(1));
            }
        }
        return rows;
    }

    private static void transaction(Connection postgres, String... statements) throws SQLException {
        postgres.setAutoCommit(false);
        try (Statement statement = postgres.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
            postgres.commit();
        } finally {
            postgres.setAutoCommit(true);
        }
    }
}
