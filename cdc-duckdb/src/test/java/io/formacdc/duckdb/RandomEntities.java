package io.formacdc.duckdb;

import io.formacdc.core.Attribute;
import io.formacdc.core.ColumnBinding;
import io.formacdc.core.ColumnEncoding;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A writer as hosts have them, with values of every kind, and the oracle: what a lake must hold, computed by PostgreSQL
 * and pgjdbc alone. Confined to a thread.
 */
final class RandomEntities {
    static final int SCHEMA = 7;

    static final SchemaRegistry REGISTRY = TestHost.registry(
            SCHEMA,
            new SchemaAttributes(
                    "random",
                    List.of(
                            Attribute.bound("name", 1, ValueType.TEXT, "text_01"),
                            Attribute.bound("rank", 2, ValueType.SMALLINT, "smallint_01"),
                            Attribute.bound("size", 3, ValueType.INTEGER, "integer_01"),
                            Attribute.bound("big", 4, ValueType.BIGINT, "bigint_01"),
                            Attribute.bound("score", 5, ValueType.NUMERIC, "double_01"),
                            Attribute.bound("ref", 6, ValueType.UUID, "uuid_01"),
                            encoded("flag", 7, ValueType.BOOL, "smallint_02", ColumnEncoding.BOOL_SMALLINT),
                            encoded("flag_text", 8, ValueType.BOOL, "text_02", ColumnEncoding.BOOL_TEXT),
                            encoded("born", 9, ValueType.DATE, "text_03", ColumnEncoding.ISO8601),
                            encoded("seen", 10, ValueType.DATETIME, "bigint_02", ColumnEncoding.UNIX_MS),
                            Attribute.eav("note", 11, ValueType.TEXT),
                            Attribute.eav("qty", 12, ValueType.NUMERIC),
                            Attribute.eav("total", 13, ValueType.BIGINT),
                            Attribute.eav("ok", 14, ValueType.BOOL),
                            Attribute.list("tags", 15, ValueType.TEXT),
                            Attribute.list("sums", 16, ValueType.BIGINT))));

    private static final List<String> TEXTS =
            List.of("", "x", "it's \"so\"", "a\nb\\n", "größe", "漢字", "😀👨‍👩‍👧", "NULL", "%_{}[]");
    private static final List<String> DATES = List.of(
            "2024-02-29",
            "0001-01-01",
            "9999-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.25+02:00",
            "2024-02-29 12:34:56");
    private static final long[] LONGS = {
        0, -1, 1, (1L << 53) + 1, -(1L << 53) - 1, Long.MIN_VALUE, Long.MAX_VALUE, 1_709_210_096_123L
    };
    private static final double[] DOUBLES = {
        0, -0.5, 0.1, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
    };

    /** Lists become JSON; everything else is read as its type. */
    private static final String IN_LAKE = """
            SELECT row_id::VARCHAR, changed_at, ltbase_created_at, ltbase_updated_at, ltbase_deleted_at, name, rank, size,
                   big, score, ref::VARCHAR, flag, flag_text, born, seen, note, qty, total, ok,
                   to_json(tags)::VARCHAR, to_json(sums)::VARCHAR FROM lake ORDER BY row_id""";

    private static final String IN_POSTGRES = """
            SELECT ltbase_row_id::text, ltbase_updated_at, ltbase_created_at, ltbase_updated_at, ltbase_deleted_at, text_01,
                   smallint_01, integer_01, bigint_01, double_01, uuid_01::text, smallint_02 > 0.5, text_02 IN ('1', 'true'),
                   floor(extract(epoch FROM text_03::timestamptz) * 1000)::bigint, bigint_02,
                   (SELECT value_text FROM eav_data WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 11),
                   (SELECT value_numeric FROM eav_data
                     WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 12),
                   (SELECT value_numeric::bigint FROM eav_data
                     WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 13),
                   (SELECT value_numeric > 0.5 FROM eav_data
                     WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 14),
                   (SELECT CASE WHEN count(*) > 0 THEN to_json(coalesce(array_agg(value_text
                       ORDER BY array_indices::int) FILTER (WHERE array_indices <> ''), '{}'))::text END
                     FROM eav_data WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 15),
                   (SELECT CASE WHEN count(*) > 0 THEN to_json(coalesce(array_agg(value_numeric::bigint
                       ORDER BY array_indices::int) FILTER (WHERE array_indices <> ''), '{}'))::text END
                     FROM eav_data WHERE schema_id = 7 AND row_id = ltbase_row_id AND attr_id = 16)
              FROM entity_main WHERE ltbase_schema_id = 7 ORDER BY ltbase_row_id""";

    private final Connection connection;
    private final Random random;
    private final Map<UUID, Boolean> isLive = new LinkedHashMap<>();
    private final List<List<@Nullable Object>> eavRows = new ArrayList<>();
    private long version = 1_700_000_000_000L;

    RandomEntities(Connection connection, long seed) throws SQLException {
        this.connection = connection;
        this.random = new Random(seed);
        try (Statement statement = connection.createStatement()) {
            // Text without an offset is UTC.
            statement.execute("SET TimeZone = 'UTC'");
        }
    }

    private static Attribute encoded(String name, int id, ValueType type, String column, ColumnEncoding encoding) {
        return new Attribute(name, id, type, null, new ColumnBinding(column, encoding), false);
    }

    /** Creates, updates, deletes and re-creates entities, each in a transaction with its dirty row. */
    void churn(int steps, int entities) throws SQLException {
        connection.setAutoCommit(false);
        for (int i = 0; i < steps; i++) {
            List<UUID> ids = new ArrayList<>(isLive.keySet());
            boolean create = ids.size() < entities && random.nextInt(3) > 0;
            UUID id = create || ids.isEmpty()
                    ? new UUID(random.nextLong(), random.nextLong())
                    : ids.get(random.nextInt(ids.size()));
            boolean delete = isLive.getOrDefault(id, false) && random.nextInt(4) == 0;
            version += 1 + random.nextInt(3);
            write(id, delete);
            isLive.put(id, !delete);
            connection.commit();
        }
        connection.setAutoCommit(true);
    }

    /** What a writer does to one entity. */
    enum Change {
        CREATE,
        UPDATE,
        DELETE,
        RECREATE
    }

    /**
     * Does so to some entity, in a transaction with its dirty row.
     *
     * @param most entities that there may be, deleted ones included
     * @return false where there is none to do it to
     */
    boolean change(Change change, int most) throws SQLException {
        List<UUID> ids = isLive.keySet().stream()
                .filter(id -> isLive.getOrDefault(id, false) != (change == Change.RECREATE))
                .toList();
        if (change == Change.CREATE ? isLive.size() >= most : ids.isEmpty()) {
            return false;
        }
        UUID id = change == Change.CREATE
                ? new UUID(random.nextLong(), random.nextLong())
                : ids.get(random.nextInt(ids.size()));
        connection.setAutoCommit(false);
        version += 1 + random.nextInt(3);
        write(id, change == Change.DELETE);
        isLive.put(id, change != Change.DELETE);
        connection.commit();
        connection.setAutoCommit(true);
        return true;
    }

    private void write(UUID id, boolean delete) throws SQLException {
        execute("DELETE FROM entity_main WHERE ltbase_schema_id = 7 AND ltbase_row_id = ?", id);
        execute("DELETE FROM eav_data WHERE schema_id = 7 AND row_id = ?", id);
        execute(
                "INSERT INTO change_log VALUES (7, ?, 0, ?, ?) ON CONFLICT (schema_id, row_id, flushed_at)"
                        + " DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at",
                id,
                version,
                delete ? version : null);
        if (delete) {
            return;
        }
        execute(
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, ltbase_created_at, ltbase_updated_at, text_01,"
                        + " smallint_01, integer_01, bigint_01, double_01, uuid_01, smallint_02, text_02, text_03,"
                        + " bigint_02) VALUES (7, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                id,
                version - 5,
                version,
                text(),
                unset() ? null : (short) random.nextInt(),
                unset() ? null : random.nextInt(),
                integer(),
                unset()
                        ? null
                        : DOUBLES[random.nextInt(DOUBLES.length)] + (random.nextBoolean() ? random.nextGaussian() : 0),
                unset() ? null : new UUID(random.nextLong(), random.nextLong()),
                unset() ? null : random.nextInt(4) - 1,
                unset() ? null : List.of("1", "true", "TRUE", "0", "").get(random.nextInt(5)),
                unset() ? null : DATES.get(random.nextInt(DATES.size())),
                integer());
        eav(id, 11, "", text(), null);
        eav(id, 12, "", null, unset() ? null : number());
        eav(id, 13, "", null, decimal(integer()));
        eav(
                id,
                14,
                "",
                null,
                unset() ? null : List.of("0", "0.3", "0.5", "0.51", "1").get(random.nextInt(5)));
        list(id, 15);
        list(id, 16);
        insertEavRows();
    }

    /** Absent, empty, or up to a dozen items in no order. */
    private void list(UUID id, int attrId) {
        if (unset()) {
            return;
        }
        int items = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(12);
        if (items == 0) {
            eavRow(id, attrId, "", null, null);
        }
        for (int i = items - 1; i >= 0; i--) {
            boolean isText = attrId == 15;
            eavRow(id, attrId, String.valueOf(i), isText ? text() : null, isText ? null : decimal(integer()));
        }
    }

    private void eav(UUID id, int attrId, String indices, @Nullable String text, @Nullable String number) {
        if (text != null || number != null) {
            eavRow(id, attrId, indices, text, number);
        }
    }

    private void eavRow(UUID id, int attrId, String indices, @Nullable String text, @Nullable String number) {
        List<@Nullable Object> row = new ArrayList<>();
        Collections.addAll(row, id, attrId, indices, text, number);
        eavRows.add(row);
    }

    private void insertEavRows() throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("INSERT INTO eav_data VALUES (7, ?, ?, ?, ?, ?)")) {
            for (List<@Nullable Object> row : eavRows) {
                set(statement, row);
                statement.addBatch();
            }
            statement.executeBatch();
        }
        eavRows.clear();
    }

    private boolean unset() {
        return random.nextInt(5) == 0;
    }

    private @Nullable String text() {
        return unset() ? null : TEXTS.get(random.nextInt(TEXTS.size()));
    }

    private @Nullable Long integer() {
        return unset() ? null : random.nextBoolean() ? random.nextLong() : LONGS[random.nextInt(LONGS.length)];
    }

    private static @Nullable String decimal(@Nullable Long value) {
        return value == null ? null : value.toString();
    }

    private String number() {
        BigInteger unscaled = new BigInteger(1 + random.nextInt(100), random);
        return new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), random.nextInt(40) - 5)
                .toPlainString();
    }

    private void execute(String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            set(statement, Arrays.asList(values));
            statement.execute();
        }
    }

    private static void set(PreparedStatement statement, List<@Nullable Object> values) throws SQLException {
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) instanceof String text) {
                statement.setObject(i + 1, text, Types.OTHER);
            } else {
                statement.setObject(i + 1, values.get(i));
            }
        }
    }

    static List<List<@Nullable Object>> inLake(Lake lake) throws SQLException {
        return read(lake.connection(), IN_LAKE);
    }

    /** @param view the query of the view */
    static List<List<@Nullable Object>> inLake(Connection duckDb, String view) throws SQLException {
        return read(duckDb, IN_LAKE.replace("FROM lake", "FROM (" + view + ")"));
    }

    List<List<@Nullable Object>> inPostgres() throws SQLException {
        return read(connection, IN_POSTGRES);
    }

    private static List<List<@Nullable Object>> read(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            List<List<@Nullable Object>> rows = new ArrayList<>();
            while (result.next()) {
                List<@Nullable Object> row = new ArrayList<>();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                    row.add(comparable(result.getObject(i)));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    private static @Nullable Object comparable(@Nullable Object value) {
        if (value instanceof Short || value instanceof Integer) {
            return ((Number) value).longValue();
        }
        return value instanceof BigDecimal decimal ? (Object) Double.parseDouble(decimal.toString()) : value;
    }
}
