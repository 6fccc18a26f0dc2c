package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One schema's entities, and a writer of them that keeps the contract: the slot {@code flushed_at = 0} is upserted in the
 * entity's transaction. An entity holds its version as a hot column, as an EAV value and as a text, so that a file row
 * put together from two instants shows.
 */
final class Entities {
    static final SchemaAttributes ATTRIBUTES = new SchemaAttributes(
            "things",
            List.of(
                    Attribute.bound("title", 1, ValueType.TEXT, "text_01"),
                    Attribute.bound("amount", 2, ValueType.BIGINT, "bigint_01"),
                    Attribute.eav("note", 3, ValueType.TEXT),
                    Attribute.eav("total", 4, ValueType.BIGINT)));
    static final SchemaRegistry REGISTRY = schemaId -> java.util.Optional.of(ATTRIBUTES);

    /** Versions of {@link #insertMany}: the n-th entity has this and n. */
    static final long FIRST_VERSION = 1_700_000_000_000L;

    private static final String ID_OF_N = "md5('%d-' || n)::uuid";

    final int schemaId;
    private final TestHost host;

    Entities(TestHost host, int schemaId) {
        this.host = host;
        this.schemaId = schemaId;
    }

    /** The id of the n-th entity; in no order, and all over the 128 bits. */
    UUID id(int n) {
        try {
            byte[] md5 =
                    MessageDigest.getInstance("MD5").digest((schemaId + "-" + n).getBytes(StandardCharsets.US_ASCII));
            ByteBuffer buffer = ByteBuffer.wrap(md5);
            return new UUID(buffer.getLong(), buffer.getLong());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Creates the entities 1 to {@code count}, all dirty. */
    Entities insertMany(int count) throws SQLException {
        String series = "%s, " + ID_OF_N.formatted(schemaId) + ", %s FROM generate_series(1, " + count + ") n";
        long v = FIRST_VERSION;
        host.sql("BEGIN");
        host.sql("INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, bigint_01, ltbase_created_at,"
                + " ltbase_updated_at) SELECT "
                + series.formatted(schemaId, "'t' || n + %d, n + %d, n, n + %d".formatted(v, v, v)));
        host.sql("INSERT INTO eav_data (schema_id, row_id, attr_id, value_text) SELECT "
                + series.formatted(schemaId, "3, 't' || n + %d".formatted(v)));
        host.sql("INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric) SELECT "
                + series.formatted(schemaId, "4, n + %d".formatted(v)));
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT "
                + series.formatted(schemaId, "n + %d".formatted(v)));
        host.sql("COMMIT");
        return this;
    }

    /** Creates an entity in the connection's transaction. */
    void insert(Connection connection, UUID id, long version) throws SQLException {
        execute(
                connection,
                "INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, bigint_01, ltbase_created_at,"
                        + " ltbase_updated_at) VALUES (?, ?, 't' || ?::bigint, ?, 1, ?)",
                id,
                version,
                version,
                version);
        execute(
                connection,
                "INSERT INTO eav_data (schema_id, row_id, attr_id, value_text, value_numeric)"
                        + " VALUES (?, ?, 3, 't' || ?::bigint, NULL)",
                id,
                version);
        execute(
                connection,
                "INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric) VALUES (?, ?, 4, ?)",
                id,
                version);
        upsertSlot(connection, id, version, null);
    }

    void update(Connection connection, UUID id, long version) throws SQLException {
        execute(
                connection,
                "UPDATE entity_main m SET text_01 = 't' || v.v, bigint_01 = v.v, ltbase_updated_at = v.v"
                        + " FROM (SELECT ?::smallint AS s, ?::uuid AS r, ?::bigint AS v) v"
                        + " WHERE ltbase_schema_id = v.s AND ltbase_row_id = v.r",
                id,
                version);
        execute(
                connection,
                "UPDATE eav_data e SET value_text = CASE attr_id WHEN 3 THEN 't' || v.v END,"
                        + " value_numeric = CASE attr_id WHEN 4 THEN v.v END"
                        + " FROM (SELECT ?::smallint AS s, ?::uuid AS r, ?::bigint AS v) v"
                        + " WHERE schema_id = v.s AND row_id = v.r",
                id,
                version);
        upsertSlot(connection, id, version, null);
    }

    /** Gives every entity the next version. */
    void updateAll(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("UPDATE entity_main SET text_01 = 't' || ltbase_updated_at + 1,"
                    + " bigint_01 = ltbase_updated_at + 1, ltbase_updated_at = ltbase_updated_at + 1"
                    + " WHERE ltbase_schema_id = " + schemaId);
            statement.execute("UPDATE eav_data SET value_text = CASE attr_id WHEN 3 THEN text_01 END,"
                    + " value_numeric = CASE attr_id WHEN 4 THEN bigint_01 END FROM entity_main"
                    + " WHERE ltbase_schema_id = schema_id AND ltbase_row_id = row_id AND schema_id = " + schemaId);
            statement.execute("INSERT INTO change_log (schema_id, row_id, changed_at) SELECT ltbase_schema_id,"
                    + " ltbase_row_id, ltbase_updated_at FROM entity_main WHERE ltbase_schema_id = " + schemaId
                    + " ON CONFLICT (schema_id, row_id, flushed_at) DO UPDATE SET changed_at = excluded.changed_at,"
                    + " deleted_at = NULL");
        }
    }

    /** Deletes the entity for good, and leaves a tombstone. */
    void delete(Connection connection, UUID id, long version) throws SQLException {
        execute(connection, "DELETE FROM entity_main WHERE ltbase_schema_id = ? AND ltbase_row_id = ?", id);
        execute(connection, "DELETE FROM eav_data WHERE schema_id = ? AND row_id = ?", id);
        upsertSlot(connection, id, version, version);
    }

    /** Deletes the entity in a transaction of its own and creates another under its id. */
    void recreate(Connection connection, UUID id, long version) throws SQLException {
        delete(connection, id, version - 1);
        if (!connection.getAutoCommit()) {
            connection.commit();
        }
        insert(connection, id, version);
    }

    private void upsertSlot(Connection connection, UUID id, long version, @Nullable Long deletedAt)
            throws SQLException {
        execute(
                connection,
                "INSERT INTO change_log (schema_id, row_id, flushed_at, changed_at, deleted_at) VALUES (?, ?, 0, ?, ?)"
                        + " ON CONFLICT (schema_id, row_id, flushed_at)"
                        + " DO UPDATE SET changed_at = excluded.changed_at, deleted_at = excluded.deleted_at",
                id,
                version,
                deletedAt);
    }

    private void execute(Connection connection, String sql, UUID id, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, schemaId);
            statement.setObject(2, id);
            for (int i = 0; i < values.length; i++) {
                if (values[i] == null) {
                    statement.setNull(i + 3, java.sql.Types.BIGINT);
                } else {
                    statement.setObject(i + 3, values[i]);
                }
            }
            statement.execute();
        }
    }

    /** Ids of dirty rows. */
    Set<UUID> dirty() throws SQLException {
        Set<UUID> ids = new TreeSet<>();
        for (String id : rows(
                host.connection,
                "SELECT row_id::text FROM change_log WHERE flushed_at = 0 AND schema_id = " + schemaId)) {
            ids.add(UUID.fromString(id));
        }
        return ids;
    }

    /** Checks that the files alone hold what PostgreSQL holds, every entity once. */
    void assertLakeEqualsPostgres(CdcConfig config) throws SQLException {
        assertThat(dirty()).as("dirty rows of schema %d", schemaId).isEmpty();
        try (Lake lake = Lake.open(config, host.client, schemaId)) {
            assertEqualsPostgres(lake);
        }
    }

    /** Checks that files and dirty rows together show what PostgreSQL holds, every entity once. */
    void assertViewEqualsPostgres(CdcConfig config) throws SQLException {
        try (Lake lake = Lake.openWithDirtyRows(config, host.client, schemaId, REGISTRY)) {
            assertEqualsPostgres(lake);
        }
    }

    private void assertEqualsPostgres(Lake lake) throws SQLException {
        List<String> inLake = rows(
                lake.connection(),
                "SELECT concat_ws('|', row_id, changed_at, title, amount, note, total) FROM lake ORDER BY row_id");
        // Without statistics, PostgreSQL 15 goes through all EAV rows of the schema for each entity, which takes
        // minutes.
        host.sql("SET enable_nestloop = off");
        List<String> inPostgres = rows(
                host.connection,
                "SELECT concat_ws('|', ltbase_row_id, ltbase_updated_at, text_01, bigint_01, n.value_text,"
                        + " t.value_numeric) FROM entity_main"
                        + " LEFT JOIN eav_data n ON n.schema_id = ltbase_schema_id AND n.row_id = ltbase_row_id"
                        + " AND n.attr_id = 3"
                        + " LEFT JOIN eav_data t ON t.schema_id = ltbase_schema_id AND t.row_id = ltbase_row_id"
                        + " AND t.attr_id = 4"
                        + " WHERE ltbase_schema_id = " + schemaId + " ORDER BY ltbase_row_id");
        assertThat(inLake).as("lake of schema %d", schemaId).isEqualTo(inPostgres);
    }

    static List<String> rows(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            List<String> rows = new ArrayList<>();
            while (result.next()) {
                rows.add(result.getString(1));
            }
            return rows;
        }
    }
}
