package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.ValueType;
import io.formacdc.manifest.ColumnTypes;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ColumnTypesIT {
    /** A value of each type that a column of this library can have. */
    private static final Map<String, String> SCALARS = Map.of(
            "VARCHAR", "'text'",
            "SMALLINT", "1",
            "INTEGER", "70000",
            "BIGINT", "9007199254740993",
            "DOUBLE", "1.5",
            "BOOLEAN", "true",
            "UUID", "'00000000-0000-0000-0000-00000000000a'");

    @Test
    void whatUnitesIsWhatDuckDbReads(@TempDir Path folder) throws SQLException {
        Map<String, String> values = new TreeMap<>(SCALARS);
        SCALARS.forEach((type, value) -> values.put(type + "[]", "[" + value + "]"));
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            for (String type : values.keySet()) {
                statement.execute(
                        "COPY (SELECT " + values.get(type) + "::" + type + " AS v) TO '" + file(folder, type) + "'");
            }
        }
        for (String type : values.keySet()) {
            for (String other : values.keySet()) {
                assertThat(ColumnTypes.canUnite(type, other))
                        .as("%s with %s", type, other)
                        .isEqualTo(canRead(file(folder, type), file(folder, other)));
            }
        }
    }

    private static String file(Path folder, String type) {
        return folder.resolve(type.replace("[]", "_list") + ".parquet").toString();
    }

    /** In a DuckDB of its own: one that has failed to read a file goes on failing. */
    private static boolean canRead(String file, String other) throws SQLException {
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("CREATE TABLE united AS FROM "
                    + ReadParquet.of("['" + file + "', '" + other + "']", "union_by_name = true"));
            return true;
        } catch (SQLException e) {
            assertThat(e.getMessage()).contains("failed to cast column");
            return false;
        }
    }

    @Test
    void anAttributeWhoseNewTypeNoReaderCouldUniteStopsTheFlushUntilABaseIsExported() throws SQLException {
        try (TestHost host = new TestHost()) {
            UUID id = new UUID(0x7000L, 1);
            host.insert(7, id, 1);
            host.sql("INSERT INTO eav_data (schema_id, row_id, attr_id, value_numeric) values (7, ?, 5, 42)", id);
            host.flush(registry(Attribute.eav("n", 5, ValueType.BIGINT)));
            SchemaRegistry lists = registry(Attribute.list("n", 5, ValueType.BIGINT));
            host.sql("UPDATE change_log SET flushed_at = 0, changed_at = 2");
            host.sql("UPDATE entity_main SET ltbase_updated_at = 2");
            List<String> objects = host.dataKeys();

            assertThatThrownBy(() -> host.flush(lists))
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContainingAll("column \"n\" is BIGINT[] now, but BIGINT in", "replacingDeltas()");

            assertThat(host.dataKeys()).isEqualTo(objects);
            assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at = 0"))
                    .isEqualTo(1);
            Cdc.exportBase(host.config().build(), host.client, 7, BaseExportOptions.DEFAULTS.replacingDeltas(), lists);
            host.flush(lists);
            try (Lake lake = host.lake(7)) {
                assertThat(TestHost.column(lake.connection(), "SELECT n::VARCHAR FROM lake"))
                        .containsExactly("[42]");
            }
        }
    }

    private static SchemaRegistry registry(Attribute attribute) {
        return TestHost.registry(7, new SchemaAttributes("things", List.of(attribute)));
    }
}
