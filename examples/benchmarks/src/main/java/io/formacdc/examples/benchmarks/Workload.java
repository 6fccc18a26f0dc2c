package io.formacdc.examples.benchmarks;

import io.formacdc.core.Attribute;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * The standard work: one schema whose entities have 16 hot columns in use and six attributes in {@code eav_data}, three
 * of text and three numbers. Made by the server from the row's number alone, so the same at every run. Row ids are UUIDv7,
 * which follow the order in which rows were made.
 *
 * @param schemaId of all rows
 * @param rows entities
 */
public record Workload(int schemaId, int rows) {
    /** Rows of the standard work at scale 1. */
    static final int STANDARD_ROWS = 500_000;

    public static final int SCHEMA_ID = 7;

    /** The instant of the first version, epoch milliseconds. */
    static final long BEGIN_MILLIS = 1_760_000_000_000L;

    private static final String ROW_ID = "(lpad(to_hex(" + BEGIN_MILLIS + " + i / 4), 12, '0') || '7'"
            + " || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid";

    private static final List<Attribute> ATTRIBUTES = attributes();

    public static final SchemaRegistry REGISTRY =
            schemaId -> Optional.of(new SchemaAttributes("workload" + schemaId, ATTRIBUTES));

    private static List<Attribute> attributes() {
        List<Attribute> all = new ArrayList<>();
        bind(all, "text", 4, ValueType.TEXT);
        bind(all, "smallint", 1, ValueType.SMALLINT);
        bind(all, "integer", 3, ValueType.INTEGER);
        bind(all, "bigint", 3, ValueType.BIGINT);
        bind(all, "double", 4, ValueType.NUMERIC);
        bind(all, "uuid", 1, ValueType.UUID);
        IntStream.rangeClosed(1, 3).forEach(n -> {
            all.add(Attribute.eav("note" + n, 100 + n, ValueType.TEXT));
            all.add(Attribute.eav("amount" + n, 110 + n, ValueType.NUMERIC));
        });
        return List.copyOf(all);
    }

    private static void bind(List<Attribute> all, String type, int count, ValueType valueType) {
        IntStream.rangeClosed(1, count)
                .mapToObj(n -> "%s_0%d".formatted(type, n))
                .forEach(column -> all.add(Attribute.bound("a_" + column, all.size() + 1, valueType, column)));
    }

    /** Fills the tables, which must be there and hold nothing of this schema. No row is dirty. */
    public void load(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET synchronous_commit = off");
            statement.execute("""
                    INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, text_02, text_03, text_04,
                      smallint_01, integer_01, integer_02, integer_03, bigint_01, bigint_02, bigint_03,
                      double_01, double_02, double_03, double_04, uuid_01, ltbase_created_at, ltbase_updated_at)
                    SELECT %1$d, %2$s, 'name ' || i, md5(i::text), 'city ' || i %% 1000, repeat(chr(97 + i %% 26), 40),
                      i %% 30000, i, i %% 100, -i, i * 1000003::bigint, %3$d + i, i %% 7, i / 3.0, i * 0.001, i %% 13,
                      sqrt(i), md5('u' || i)::uuid, %3$d, %3$d + i
                    FROM generate_series(1, %4$d) i""".formatted(schemaId, ROW_ID, BEGIN_MILLIS, rows));
            statement.execute("""
                    INSERT INTO eav_data (schema_id, row_id, attr_id, value_text, value_numeric)
                    SELECT %d, %s, a, CASE WHEN a < 110 THEN 'value ' || a || ' of ' || i %% 5000 END,
                      CASE WHEN a > 110 THEN (i * a)::numeric / 100 END
                    FROM generate_series(1, %d) i, unnest(ARRAY[101, 102, 103, 111, 112, 113]) a""".formatted(schemaId, ROW_ID, rows));
            statement.execute("VACUUM (ANALYZE) entity_main, eav_data");
        }
    }

    /** Makes every entity dirty, in a change log as fresh as if nothing had ever been flushed. */
    public void makeDirty(Connection connection) throws SQLException {
        makeDirty(connection, "true");
    }

    /**
     * Makes those entities dirty that a condition on {@code entity_main} names, and no other. What was in the change log
     * is gone.
     */
    void makeDirty(Connection connection, String condition) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET synchronous_commit = off");
            statement.execute("TRUNCATE change_log");
            statement.execute("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT ltbase_schema_id,"
                    + " ltbase_row_id, ltbase_updated_at FROM entity_main WHERE ltbase_schema_id = " + schemaId
                    + " AND (" + condition + ") ORDER BY ltbase_row_id");
            statement.execute("VACUUM (ANALYZE) change_log");
        }
    }

    /** The ids of all entities. */
    List<UUID> rowIds(Connection connection) throws SQLException {
        List<UUID> ids = new ArrayList<>(rows);
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "SELECT ltbase_row_id FROM entity_main WHERE ltbase_schema_id = " + schemaId)) {
            while (result.next()) {
                ids.add(result.getObject(1, UUID.class));
            }
        }
        return ids;
    }
}
