package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.formacdc.core.DatabaseException;
import io.formacdc.core.TableName;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class FileSchemaRegistryIT {
    @Test
    void idsAreReadFromAnyTableAndTheConnectionStaysOpen() throws SQLException {
        try (LocalPostgres database = LocalPostgres.shared().createDatabase();
                Connection connection = database.dataSource().getConnection()) {
            LocalPostgres.createTables(connection);
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO schema_registry VALUES ('task', 8), ('note', 7)");
                statement.execute("CREATE SCHEMA other");
                statement.execute("CREATE TABLE other.\"my registry\" (schema_name TEXT, schema_id SMALLINT)");
            }

            assertThat(FileSchemaRegistry.readSchemaIds(connection, TableName.parse("schema_registry")))
                    .containsOnly(entry("note", 7), entry("task", 8));
            assertThat(FileSchemaRegistry.readSchemaIds(connection, TableName.parse("other.my registry")))
                    .isEmpty();
            assertThatThrownBy(() -> FileSchemaRegistry.readSchemaIds(connection, TableName.parse("missing")))
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("reading schema ids from \"missing\"")
                    .hasMessageContaining("42P01");
            assertThat(connection.isClosed()).isFalse();
        }
    }
}
