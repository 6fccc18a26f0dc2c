package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.UuidV7;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * Reads local copies of a schema's files in a DuckDB of its own, and finds out which rows of unlisted deltas no listed
 * file covers: a row is covered by a listed version of its id that is not older. Confined to a thread.
 */
final class FileScan implements AutoCloseable {
    private final CdcConfig config;
    private final int schemaId;
    private final DuckSession session;
    private final InterruptWatch watch;

    private FileScan(CdcConfig config, int schemaId, DuckSession session, InterruptWatch watch) {
        this.config = config;
        this.schemaId = schemaId;
        this.session = session;
        this.watch = watch;
        execute("CREATE TEMP TABLE loose (file INTEGER, n BIGINT, row_id UUID, changed_at BIGINT, deleted_at BIGINT)");
        execute("CREATE TEMP TABLE entities (row_id UUID, dirty BOOLEAN, alive BOOLEAN)");
        execute("CREATE TEMP TABLE base_rows (row_id UUID)");
    }

    static FileScan open(CdcConfig config, int schemaId, InterruptWatch watch) {
        DuckSession session = DuckSession.open(config);
        try {
            return new FileScan(config, schemaId, session, watch);
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** A file is not what it should be. */
    static final class UnreadableException extends CdcException {
        private UnreadableException(String message) {
            super(message);
        }

        private UnreadableException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException e) {
            // It ended by itself.
        }
    }

    /** A path where no file is yet, in a private folder that is gone when this is closed. */
    Path newFile() {
        return session.folder().resolve(UuidV7.next() + ".parquet");
    }

    @FunctionalInterface
    private interface RowReader<T> {
        T read(ResultSet row) throws SQLException;
    }

    private void execute(String sql) {
        try (Statement statement = session.connection().createStatement();
                InterruptWatch.Guard guard = watch.guard(null, attempt -> cancel(statement))) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    private <T> List<T> query(String sql, RowReader<T> reader) {
        return read(sql, result -> {
            List<T> rows = new ArrayList<>();
            while (result.next()) {
                rows.add(reader.read(result));
            }
            return rows;
        });
    }

    private <T> T read(String sql, DuckStatements.Reader<T> reader) {
        try (Statement statement = session.connection().createStatement();
                InterruptWatch.Guard guard = watch.guard(null, attempt -> cancel(statement));
                ResultSet result = statement.executeQuery(sql)) {
            return reader.read(result);
        } catch (SQLException e) {
            throw failure(e);
        }
    }

    private CdcException failure(SQLException e) {
        String line = DuckStatements.firstLine(e);
        if (Thread.currentThread().isInterrupted()) {
            return new CdcInterruptedException("interrupted while a file was read", e);
        }
        String advised = DuckStatements.withMemoryAdvice(line, config);
        return advised.equals(line) ? new UnreadableException(line, e) : new CdcException(advised, e);
    }

    /** @throws UnreadableException saying why, if it is no Parquet file with the columns that every file has */
    FileFacts facts(Path file) {
        Map<String, String> columns = new LinkedHashMap<>();
        query("DESCRIBE SELECT * FROM " + parquet(file), row -> columns.put(row.getString(1), row.getString(2)));
        FileFacts.REQUIRED_COLUMNS.forEach((name, type) -> {
            if (!type.equals(columns.get(name))) {
                throw new UnreadableException("column " + name + " must be of type " + type
                        + (columns.containsKey(name) ? ", not " + columns.get(name) : ", and is not there"));
            }
        });
        String sql = "SELECT count(*), min(row_id)::VARCHAR, max(row_id)::VARCHAR, min(changed_at), max(changed_at),"
                + " count(*) FILTER (schema_id IS DISTINCT FROM " + schemaId
                + " OR row_id IS NULL OR changed_at IS NULL), count(*) FILTER (deleted_at > 0),"
                + " count(row_id) - count(DISTINCT row_id) FROM " + parquet(file);
        return query(sql, row -> facts(row, file, columns)).get(0);
    }

    private static FileFacts facts(ResultSet row, Path file, Map<String, String> columns) throws SQLException {
        String minRowId = row.getString(2);
        RowIdRange rowIds =
                minRowId == null ? null : new RowIdRange(UUID.fromString(minRowId), UUID.fromString(row.getString(3)));
        VersionRange versions = row.getObject(4) == null ? null : new VersionRange(row.getLong(4), row.getLong(5));
        FileContents contents = new FileContents(
                row.getLong(1), sizeOf(file), FileContents.checksumOf(file), rowIds, versions, columns);
        return new FileFacts(contents, row.getLong(6), row.getLong(7), row.getLong(8));
    }

    static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new CdcException("a local file cannot be read: " + e.getMessage(), e);
        }
    }

    /** Takes up the rows of an unlisted delta. */
    void addLoose(int number, Path file) {
        execute("INSERT INTO loose SELECT " + number + ", file_row_number, row_id, changed_at, coalesce(deleted_at, 0)"
                + " FROM read_parquet(" + literal(file) + ", file_row_number = true)");
    }

    /** Drops what a listed file covers. */
    void cover(Path listed) {
        execute("DELETE FROM loose l WHERE EXISTS (FROM " + parquet(listed)
                + " f WHERE f.row_id = l.row_id AND f.changed_at >= l.changed_at)");
    }

    /** Takes up the row ids of a base file. */
    void addBase(Path file) {
        execute("INSERT INTO base_rows SELECT DISTINCT row_id FROM " + parquet(file));
    }

    /** Row ids that several base files hold. */
    long rowsInSeveralBases() {
        return query(
                        "SELECT count(*) FROM (SELECT row_id FROM base_rows GROUP BY row_id HAVING count(*) > 1)",
                        row -> row.getLong(1))
                .get(0);
    }

    /** Ids of rows of unlisted deltas that are not covered. */
    List<UUID> uncoveredIds() {
        return query("SELECT DISTINCT row_id::VARCHAR FROM loose", row -> UUID.fromString(row.getString(1)));
    }

    /** Judges the newest uncovered version of each row. Those that are dirty come with the next flush. */
    void judge(List<EntityState> states) {
        try (DuckDBAppender appender =
                session.connection().unwrap(DuckDBConnection.class).createAppender("temp", "main", "entities")) {
            for (EntityState state : states) {
                appender.beginRow()
                        .append(state.rowId())
                        .append(state.isDirty())
                        .append(state.isAlive())
                        .endRow();
            }
        } catch (SQLException e) {
            throw failure(e);
        }
        execute("CREATE TEMP TABLE judged AS SELECT file, n, deleted_at > 0 AS tombstone, alive FROM (SELECT *,"
                + " row_number() OVER (PARTITION BY row_id ORDER BY changed_at DESC, deleted_at DESC, file, n) AS place"
                + " FROM loose) l JOIN entities USING (row_id) WHERE place = 1 AND NOT dirty");
    }

    /** Rows judged of an unlisted delta; what they are of counts as given. */
    long judged(int number, Tombstone tombstone, Entity entity) {
        return query(
                        "SELECT count(*) FROM judged WHERE file = " + number + " AND tombstone = "
                                + (tombstone == Tombstone.YES) + " AND alive = " + (entity == Entity.ALIVE),
                        row -> row.getLong(1))
                .get(0);
    }

    enum Tombstone {
        YES,
        NO
    }

    enum Entity {
        ALIVE,
        GONE
    }

    /**
     * What PostgreSQL says of a row.
     *
     * @param isDirty whether the next flush brings it
     * @param isAlive whether it has the entity, not deleted
     */
    record EntityState(UUID rowId, boolean isDirty, boolean isAlive) {}

    /** Writes the judged rows of an unlisted delta to a new file, every value as it is. */
    FileFacts writeJudged(int number, Path source, Path target) {
        String fieldIds = FieldIds.sql(read(FieldIds.query(literal(source)), FieldIds::read));
        execute("COPY (SELECT f.* EXCLUDE (file_row_number) FROM read_parquet(" + literal(source)
                + ", file_row_number = true) f SEMI JOIN (SELECT n FROM judged WHERE file = " + number
                + ") w ON f.file_row_number = w.n) "
                + ParquetCopy.to(target.toString(), config, ExportSql.ROW_GROUP_SIZE, fieldIds));
        return facts(target);
    }

    private static String parquet(Path file) {
        return "read_parquet(" + literal(file) + ")";
    }

    private static String literal(Path file) {
        return ExportSql.literal(file.toString());
    }

    /** Deletes all local copies. */
    @Override
    public void close() {
        session.close();
    }
}
