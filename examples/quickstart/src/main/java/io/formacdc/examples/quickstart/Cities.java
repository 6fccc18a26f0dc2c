package io.formacdc.examples.quickstart;

import io.formacdc.core.TableName;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.manifest.FileSchemaRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.postgresql.PGConnection;

/** Cities as entities of a schema: names and codes in hot columns, coordinates and a list of codes in EAV rows. */
final class Cities {
    static final int SCHEMA_ID = 1;

    private static final String FILE = "cities.csv.gz";

    private static final String STAGING = """
            CREATE TEMP TABLE city (n INT GENERATED ALWAYS AS IDENTITY (MINVALUE 0),
                                    name TEXT, country TEXT, admin1 TEXT, admin2 TEXT, lat NUMERIC, lng NUMERIC)""";

    /** Row ids are of UUID version 7: the time, and then the place in the file. */
    private static final String NUMBERED = """
            CREATE TEMP TABLE numbered AS
            SELECT city.*, now_millis,
                   (lpad(to_hex(now_millis + n / 4096), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                    || 'a' || left(md5(name || n), 15))::uuid AS row_id
            FROM city, (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_millis) AS clock
            WHERE n < ?""";

    private static final String ENTITIES = """
            INSERT INTO entity_main (ltbase_schema_id, ltbase_row_id, text_01, text_02, text_03, smallint_01,
                                     ltbase_created_at, ltbase_updated_at)
            SELECT 1, row_id, name, country, nullif(admin1, ''), (lat > 0)::int, now_millis, now_millis FROM numbered""";

    /** A list is a row for each item, or one row without a value if it is empty. */
    private static final String EAV_ROWS = """
            INSERT INTO eav_data (schema_id, row_id, attr_id, array_indices, value_text, value_numeric)
            SELECT 1, row_id, 5, '', NULL, lat FROM numbered
            UNION ALL SELECT 1, row_id, 6, '', NULL, lng FROM numbered
            UNION ALL SELECT 1, row_id, 7, '0', admin1, NULL FROM numbered WHERE admin1 <> ''
            UNION ALL SELECT 1, row_id, 7, '1', admin2, NULL FROM numbered WHERE admin2 <> ''
            UNION ALL SELECT 1, row_id, 7, '', NULL, NULL FROM numbered WHERE admin1 = '' AND admin2 = ''""";

    private static final String DIRTY_ROWS = """
            INSERT INTO change_log (schema_id, row_id, flushed_at, changed_at)
            SELECT ltbase_schema_id, ltbase_row_id, 0, ltbase_updated_at FROM entity_main""";

    private Cities() {}

    /** Creates the tables of a deployment, registers the schema, and returns the registered ids by name. */
    static Map<String, Integer> createTables(Connection postgres) throws SQLException {
        LocalPostgres.createTables(postgres);
        try (Statement statement = postgres.createStatement()) {
            statement.execute("INSERT INTO schema_registry VALUES ('city', " + SCHEMA_ID + ")");
        }
        return FileSchemaRegistry.readSchemaIds(postgres, TableName.parse("schema_registry"));
    }

    /** Loads at most so many cities in one transaction, and returns how many. */
    static long load(Connection postgres, int limit) throws SQLException {
        postgres.setAutoCommit(false);
        try (Statement statement = postgres.createStatement();
                PreparedStatement numbered = postgres.prepareStatement(NUMBERED)) {
            statement.execute(STAGING);
            copyFile(postgres);
            numbered.setInt(1, limit);
            numbered.execute();
            long cities = statement.executeUpdate(ENTITIES);
            statement.executeUpdate(EAV_ROWS);
            statement.executeUpdate(DIRTY_ROWS);
            statement.execute("DROP TABLE city, numbered");
            postgres.commit();
            postgres.setAutoCommit(true);
            statement.execute("ANALYZE");
            return cities;
        }
    }

    private static void copyFile(Connection postgres) throws SQLException {
        try (InputStream file = Cities.class.getResourceAsStream(FILE)) {
            if (file == null) {
                throw new IllegalStateException(FILE + " is not on the class path");
            }
            postgres.unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn(
                            "COPY city (name, country, admin1, admin2, lat, lng) FROM STDIN"
                                    + " (FORMAT csv, HEADER, FORCE_NOT_NULL (admin1, admin2))",
                            new GZIPInputStream(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + FILE, e);
        }
    }
}
