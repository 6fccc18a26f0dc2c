package io.formacdc.duckdb;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.TableName;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Merge on read: one row for each {@code row_id} over all listed files, that of the greatest {@code changed_at} and then
 * of the greatest {@code deleted_at}; tombstones are dropped after that. Rows dirty in PostgreSQL stand in for all that
 * the files say of them.
 */
public final class LakeView {
    private static final String UNITED = "union_by_name = true";
    private static final String FILE_NAME = "filename = 'forma_cdc_file'";
    private static final String ROW_NUMBER = "file_row_number = true";

    /**
     * A file's number in the list is compared at less cost than its path, but has to be looked up; a URL like {@code
     * file:///x} is not found there, for DuckDB calls that file {@code /x}.
     */
    private static final int MOST_NUMBERED = 200;

    private LakeView() {}

    /**
     * The view's query, for any DuckDB that can read the files, which may hold any row any number of times.
     *
     * @param files paths or URLs of every listed file, base and delta; may be empty
     * @param dirtyRows a file with the rows dirty in PostgreSQL, in the form of a delta; null to leave them out
     */
    public static String sql(List<String> files, @Nullable String dirtyRows) {
        return sql(List.of(), requireNonNull(files, "files"), dirtyRows);
    }

    /**
     * The same over the files of a manifest. It tells which of them hold each row once, so that the query takes about two
     * thirds of the time.
     *
     * @param location path or URL of the file with a key
     * @param dirtyRows as above
     */
    public static String sql(Manifest manifest, UnaryOperator<String> location, @Nullable String dirtyRows) {
        List<String> bases =
                manifest.disjointBases().stream().map(ManifestEntry::key).toList();
        Set<String> known = new HashSet<>(bases);
        Stream<String> others =
                manifest.entries().stream().map(ManifestEntry::key).filter(key -> !known.contains(key));
        return sql(bases.stream().map(location).toList(), others.map(location).toList(), dirtyRows);
    }

    /** @param bases files that hold each row once, all of them together */
    static String sql(List<String> bases, List<String> others, @Nullable String dirtyRows) {
        String lake = bases.isEmpty() && others.isEmpty() ? null : lake(bases, others, dirtyRows);
        String hot = dirtyRows == null
                ? null
                : "SELECT * FROM " + ReadParquet.of(ExportSql.literal(dirtyRows)) + " WHERE deleted_at = 0";
        if (lake == null) {
            return hot == null ? nothing() : hot;
        }
        return hot == null ? lake : "(" + lake + ") UNION ALL BY NAME (" + hot + ")";
    }

    /** Creates the view of {@link #sql(List, String)}, or replaces it. */
    public static void create(Connection duckDb, String viewName, List<String> files, @Nullable String dirtyRows)
            throws SQLException {
        try (Statement statement = duckDb.createStatement()) {
            statement.execute("CREATE OR REPLACE VIEW " + TableName.quote(viewName) + " AS " + sql(files, dirtyRows));
        }
    }

    /**
     * Few rows lose, so they are what is looked for: versions are ranked only of those rows that can have several, and the
     * wide columns are read once. All of it is decided on narrow columns, which every file has, so that no types have to
     * be united for it.
     */
    private static String lake(List<String> bases, List<String> others, @Nullable String dirtyRows) {
        String files = list(Stream.concat(bases.stream(), others.stream()));
        String notDirty = dirtyRows == null
                ? ""
                : " ANTI JOIN (SELECT row_id FROM " + ReadParquet.of(ExportSql.literal(dirtyRows)) + ") USING (row_id)";
        String live = notDirty + " WHERE coalesce(f.deleted_at, 0) <= 0";
        if (others.isEmpty()) {
            return "SELECT * FROM " + ReadParquet.of(files, UNITED) + " f" + live;
        }
        String file = bases.size() + others.size() > MOST_NUMBERED
                ? "forma_cdc_file"
                : "coalesce(list_position(" + files + ", forma_cdc_file)::VARCHAR, forma_cdc_file)";
        String contested = bases.isEmpty()
                ? "SELECT row_id FROM " + ReadParquet.of(files) + " GROUP BY row_id HAVING count(*) > 1"
                : "SELECT row_id FROM " + ReadParquet.of(list(others.stream()));
        String losers = "SELECT file, n FROM (SELECT file, n, row_number() OVER ("
                + "PARTITION BY row_id ORDER BY changed_at DESC, coalesce(deleted_at, 0) DESC) AS place FROM ("
                + "SELECT row_id, changed_at, deleted_at, file_row_number AS n, " + file + " AS file FROM "
                + ReadParquet.of(files, FILE_NAME, ROW_NUMBER)
                + ") SEMI JOIN (" + contested + ") USING (row_id)) WHERE place > 1";
        return "SELECT f.* EXCLUDE (forma_cdc_file, file_row_number) FROM "
                + ReadParquet.of(files, UNITED, FILE_NAME, ROW_NUMBER) + " f ANTI JOIN (" + losers
                + ") l ON f.file_row_number = l.n AND " + file + " = l.file" + live;
    }

    private static String list(Stream<String> files) {
        return files.map(ExportSql::literal).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String nothing() {
        return SchemaAttributes.SYSTEM_COLUMNS.stream()
                .map(c -> "NULL::" + (c.equals("schema_id") ? "SMALLINT" : c.equals("row_id") ? "UUID" : "BIGINT")
                        + " AS " + c)
                .collect(Collectors.joining(", ", "SELECT ", " WHERE false"));
    }
}
