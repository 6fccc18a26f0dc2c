package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The extensions by which DuckDB reaches PostgreSQL and S3 by itself. */
final class DuckExtensions {
    /** Each by its name in SQL and that of its file. */
    private enum Extension {
        POSTGRES("postgres", "postgres_scanner"),
        HTTPFS("httpfs", "httpfs");

        private final String sql;
        private final String file;

        Extension(String sql, String file) {
            this.sql = sql;
            this.file = file + ".duckdb_extension";
        }
    }

    private DuckExtensions() {}

    /**
     * Loads them, and downloads nothing where a folder is given.
     *
     * @param directory as DuckDB lays it out; empty for DuckDB's own, to which what it lacks is downloaded
     * @throws CdcException that names each one that is missing, and where it was looked for
     */
    static void load(Connection duckDb, String directory) throws SQLException {
        if (!directory.isEmpty()) {
            execute(duckDb, "SET extension_directory = " + ExportSql.literal(directory));
        }
        List<String> missing = new ArrayList<>();
        CdcException failure = null;
        for (Extension extension : Extension.values()) {
            try {
                if (directory.isEmpty()) {
                    execute(duckDb, "INSTALL " + extension.sql);
                }
                execute(duckDb, "LOAD " + extension.sql);
            } catch (SQLException e) {
                missing.add(extension.sql + " (" + DuckStatements.firstLine(e) + ")");
                failure = new CdcException(message(duckDb, directory, missing), e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static String message(Connection duckDb, String directory, List<String> missing) throws SQLException {
        String version = text(duckDb, "SELECT library_version FROM pragma_version()");
        String platform = text(duckDb, "SELECT platform FROM pragma_platform()");
        String cure = "no network, perhaps: name a folder with them as duckExtensionDirectory";
        if (!directory.isEmpty()) {
            Path folder = Path.of(directory).resolve(version).resolve(platform);
            List<String> absent = new ArrayList<>();
            for (Extension extension : Extension.values()) {
                if (!Files.exists(folder.resolve(extension.file))) {
                    absent.add(extension.file);
                }
            }
            cure = absent.isEmpty()
                    ? "the files in " + folder + " are of another DuckDB, perhaps"
                    : folder + " lacks " + String.join(" and ", absent);
        }
        return "transport EXTENSIONS needs DuckDB extensions that cannot be loaded into " + version + " on " + platform
                + ": " + String.join("; ", missing) + ". " + cure + ", or use transport BUILT_IN";
    }

    private static String text(Connection duckDb, String sql) throws SQLException {
        try (Statement statement = duckDb.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private static void execute(Connection duckDb, String sql) throws SQLException {
        try (Statement statement = duckDb.createStatement()) {
            statement.execute(sql);
        }
    }
}
