package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.Merger.Source;
import io.formacdc.duckdb.MergeSource.Column;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the footers of sources, and refuses those that cannot be merged. */
record MergeSourceReader(int schemaId, DuckStatements statements) {
    /** Name under which DuckDB tells the file of a row. */
    static final String FILE_COLUMN = "forma_cdc_file";

    /** Name under which DuckDB tells the place of a row in its file; it cannot be another. */
    static final String ROW_NUMBER_COLUMN = "file_row_number";

    private static final Map<String, String> REQUIRED = new LinkedHashMap<>();

    static {
        REQUIRED.put("schema_id", "SMALLINT");
        REQUIRED.put("row_id", "UUID");
        REQUIRED.put("changed_at", "BIGINT");
        REQUIRED.put("deleted_at", "BIGINT");
        REQUIRED.put("ltbase_created_at", "BIGINT");
    }

    /** @throws CdcException naming the source */
    MergeSource read(Source source) {
        String file = ExportSql.literal(source.path().toString());
        List<Column> columns;
        long rows;
        try {
            rows = statements.query("SELECT num_rows FROM parquet_file_metadata(" + file + ")", result -> {
                result.next();
                return result.getLong(1);
            });
            columns = columns(file);
        } catch (CdcInterruptedException e) {
            throw e;
        } catch (CdcException e) {
            if (DuckStatements.outOfMemory(e)) {
                throw e; // no fault of the file
            }
            throw new CdcException(
                    "schema " + schemaId + ": " + source.key() + " cannot be merged, it is no Parquet file that can be"
                            + " read: " + e.getMessage(),
                    e);
        }
        refuseUnlessColumnsFit(source.key(), columns);
        Rows found = statistics(file);
        if (!found.provenBelonging() && rows > 0) {
            found = scan(file, found.rawBytes());
            refuseUnlessRowsBelong(source.key(), found);
        }
        return new MergeSource(source.key(), source.path(), rows, found.rawBytes(), found.newestMillis(), columns);
    }

    private void refuseUnlessColumnsFit(String key, List<Column> columns) {
        Map<String, String> types = new HashMap<>();
        columns.forEach(column -> types.put(column.name(), column.type()));
        REQUIRED.forEach((name, type) -> {
            String found = types.get(name);
            if (found == null) {
                throw refusal(key, "it has no column " + name + ", which every file of a flush has");
            }
            if (!found.equals(type)) {
                throw refusal(key, "its column " + name + " is of type " + found + " instead of " + type);
            }
        });
        for (Column column : columns) {
            if (Set.of(FILE_COLUMN, ROW_NUMBER_COLUMN).contains(column.folded())) {
                throw refusal(key, "DuckDB needs the name of its column " + column.name() + " for itself");
            }
        }
    }

    private void refuseUnlessRowsBelong(String key, Rows found) {
        if (found.foreign() > 0) {
            throw refusal(key, found.foreign() + " of its rows are of another schema");
        }
        if (found.nameless() > 0) {
            throw refusal(key, found.nameless() + " of its rows have no row_id or no changed_at");
        }
    }

    private CdcException refusal(String key, String why) {
        return new CdcException("schema " + schemaId + ": " + key + " cannot be merged, " + why);
    }

    /**
     * What was found out about the rows.
     *
     * @param foreign rows of another schema
     * @param nameless rows without an id or a version
     */
    private record Rows(long rawBytes, boolean provenBelonging, long newestMillis, long foreign, long nameless) {}

    /** From the footer alone; writers may leave statistics out. */
    private Rows statistics(String file) {
        return statements.query(
                "SELECT coalesce(sum(total_uncompressed_size), 0)::BIGINT, coalesce(bool_and(coalesce("
                        + "CASE path_in_schema WHEN 'schema_id' THEN stats_null_count = 0 AND stats_min_value = '"
                        + schemaId + "' AND stats_max_value = '" + schemaId + "'"
                        + " WHEN 'row_id' THEN stats_null_count = 0"
                        + " WHEN 'changed_at' THEN stats_null_count = 0 AND stats_max_value IS NOT NULL"
                        + " ELSE true END, false)), true), max(CASE path_in_schema WHEN 'changed_at' THEN"
                        + " TRY_CAST(stats_max_value AS BIGINT) END) FROM parquet_metadata(" + file + ")",
                result -> {
                    result.next();
                    return new Rows(result.getLong(1), result.getBoolean(2), newest(result, 3), 0, 0);
                });
    }

    private Rows scan(String file, long rawBytes) {
        return statements.query(
                "SELECT count(*) FILTER (schema_id IS DISTINCT FROM " + schemaId + "), count(*) FILTER (row_id IS NULL"
                        + " OR changed_at IS NULL), max(changed_at) FROM " + ReadParquet.of(file),
                result -> {
                    result.next();
                    return new Rows(rawBytes, false, newest(result, 3), result.getLong(1), result.getLong(2));
                });
    }

    private static long newest(ResultSet result, int column) throws SQLException {
        long millis = result.getLong(column);
        return result.wasNull() ? Long.MIN_VALUE : millis;
    }

    private List<Column> columns(String file) {
        Map<String, FieldIds> fieldIds = statements.query(FieldIds.query(file), FieldIds::read);
        return statements.query("DESCRIBE SELECT * FROM " + ReadParquet.of(file), result -> {
            List<Column> columns = new ArrayList<>();
            while (result.next()) {
                String name = result.getString(1);
                columns.add(new Column(name, result.getString(2), fieldIds.getOrDefault(name, FieldIds.NONE)));
            }
            return columns;
        });
    }
}
