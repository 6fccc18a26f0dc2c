package io.formacdc.duckdb;

import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Merge on read: one row for each {@code row_id} over all listed files, that of the greatest {@code changed_at} and then
 * of the greatest {@code deleted_at}; tombstones are dropped after that. Rows dirty in PostgreSQL stand in for all that
 * the files say of them.
 */
public final class LakeView {
    private LakeView() {}

    /**
     * The view's query, for any DuckDB that can read the files.
     *
     * @param files paths or URLs of every listed file, base and delta; may be empty
     * @param dirtyRows a file with the rows dirty in PostgreSQL, in the form of a delta; null to leave them out
     */
    public static String sql(List<String> files, @Nullable String dirtyRows) {
        String lake = files.isEmpty() ? null : lake(files, dirtyRows);
        String hot = dirtyRows == null
                ? null
                : "SELECT * FROM " + ReadParquet.of(ExportSql.literal(dirtyRows)) + " WHERE deleted_at = 0";
        if (lake == null) {
            return hot == null ? nothing() : hot;
        }
        return hot == null ? lake : "(" + lake + ") UNION ALL BY NAME (" + hot + ")";
    }

    /** Creates the view, or replaces it. */
    public static void create(Connection duckDb, String viewName, List<String> files, @Nullable String dirtyRows)
            throws SQLException {
        try (Statement statement = duckDb.createStatement()) {
            statement.execute("CREATE OR REPLACE VIEW " + TableName.quote(viewName) + " AS " + sql(files, dirtyRows));
        }
    }

    /**
     * Few rows lose, so they are what is looked for: versions are ranked only of those rows that have several, and the
     * wide columns are read once. All of it is decided on narrow columns.
     */
    private static String lake(List<String> files, @Nullable String dirtyRows) {
        String list = files.stream().map(ExportSql::literal).collect(Collectors.joining(", ", "[", "]"));
        String read =
                ReadParquet.of(list, "union_by_name = true", "filename = 'forma_cdc_file'", "file_row_number = true");
        String contested = "SELECT row_id FROM " + read + " GROUP BY row_id HAVING count(*) > 1 OR max(deleted_at) > 0";
        String losers = "SELECT forma_cdc_file, file_row_number FROM ("
                + "SELECT forma_cdc_file, file_row_number, deleted_at, row_number() OVER ("
                + "PARTITION BY row_id ORDER BY changed_at DESC, coalesce(deleted_at, 0) DESC) AS place FROM " + read
                + " SEMI JOIN (" + contested + ") USING (row_id)"
                + ") WHERE place > 1 OR deleted_at > 0";
        String notDirty = dirtyRows == null
                ? ""
                : " ANTI JOIN (SELECT row_id FROM " + ReadParquet.of(ExportSql.literal(dirtyRows)) + ") USING (row_id)";
        return "SELECT f.* EXCLUDE (forma_cdc_file, file_row_number) FROM " + read + " f ANTI JOIN (" + losers
                + ") USING (forma_cdc_file, file_row_number)" + notDirty;
    }

    private static String nothing() {
        return SchemaAttributes.SYSTEM_COLUMNS.stream()
                .map(c -> "NULL::" + (c.equals("schema_id") ? "SMALLINT" : c.equals("row_id") ? "UUID" : "BIGINT")
                        + " AS " + c)
                .collect(Collectors.joining(", ", "SELECT ", " WHERE false"));
    }
}
