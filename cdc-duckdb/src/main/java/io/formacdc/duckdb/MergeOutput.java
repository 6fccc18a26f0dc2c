package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.UuidV7;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes chosen rows of Parquet files to new ones. Which rows, is told by a table {@value #CHOSEN} of {@code source},
 * {@code row_number} and {@code row_id}, which the connection has for itself.
 *
 * <p>The choice becomes one bit for each row of the inputs, by which whole rows are filtered while they stream from
 * reader to writer. A join would keep them for as long as it takes, and spill them.
 */
record MergeOutput(CdcConfig config, MergeMemory memory, Path folder, DuckStatements statements) {
    static final String CHOSEN = "chosen_rows";

    private static final Logger LOG = LoggerFactory.getLogger(MergeOutput.class);
    private static final String BITS = "chosen_bits";
    private static final long MOST_ROWS = 1L << 62;
    private static final int CHUNK_BITS = 16;
    private static final int CHUNK_MASK = (1 << CHUNK_BITS) - 1;

    /** So many row ids for each file decide where the files are cut: to about one percent. */
    private static final int SAMPLE_PER_FILE = 10_000;

    /**
     * What to write.
     *
     * @param inputs by their numbers in the table of chosen rows
     * @param deletedAt an expression for that column
     * @param bounds between which all chosen rows lie
     * @param files most files to write
     * @param progress told how many rows have been written
     */
    record Request(
            SortedMap<Integer, MergeSource> inputs,
            MergeColumns columns,
            String deletedAt,
            RowIdInterval bounds,
            int files,
            LongConsumer progress) {}

    /** Chooses rows, in place of those chosen before. */
    void choose(String select) {
        statements.execute("CREATE OR REPLACE TEMP TABLE " + CHOSEN + " AS " + select);
    }

    /** Writes the chosen rows: one file even without any. On failure no file is left. */
    List<ParquetCopy> write(Request request) {
        List<ParquetCopy> written = new ArrayList<>();
        try {
            chooseBits(request.inputs());
            String fieldIds = request.columns().fieldIds();
            String select = "SELECT " + request.columns().select(request.deletedAt()) + chosen(request.inputs());
            long rowBytes = MergeSource.rowBytes(request.inputs().values());
            long rows = 0;
            for (RowIdInterval part : parts(request.bounds(), request.files())) {
                long expected = count(part);
                String filter = request.inputs().isEmpty() ? "" : " AND " + LooseVersions.inInterval("f.row_id", part);
                long before = rows;
                LongConsumer progress =
                        new ThrottledProgress(n -> request.progress().accept(before + n));
                ParquetCopy copy = copy(select + filter, expected, rowBytes, config, fieldIds, progress);
                written.add(copy);
                if (copy.rowCount() != expected) {
                    throw new CdcException(
                            statements.subject() + ": DuckDB wrote " + copy.rowCount() + " rows of " + expected);
                }
                rows += expected;
                request.progress().accept(rows);
            }
            return written;
        } catch (RuntimeException | Error e) {
            written.forEach(copy -> ParquetCopy.deleteAfter(e, copy.file()));
            throw e;
        }
    }

    /** Writes the chosen rows of files of one generation as they are, to a file that is soon read again. */
    Path writeAsTheyAre(SortedMap<Integer, MergeSource> inputs) {
        chooseBits(inputs);
        String select = "SELECT f.* EXCLUDE (" + MergeSourceReader.FILE_COLUMN + ", "
                + MergeSourceReader.ROW_NUMBER_COLUMN + ")" + chosen(inputs);
        long rows = statements.query(
                "SELECT count(*) FROM " + CHOSEN + " WHERE source IN ("
                        + inputs.keySet().stream().map(String::valueOf).collect(Collectors.joining(", ")) + ")",
                result -> {
                    result.next();
                    return result.getLong(1);
                });
        CdcConfig quick = config.toBuilder().parquetCompression("snappy").build();
        return copy(select, rows, MergeSource.rowBytes(inputs.values()), quick, "", n -> {})
                .file();
    }

    /** DuckDB's names and types for what several files hold. */
    Map<String, String> unitedTypes(Collection<MergeSource> inputs) {
        if (inputs.isEmpty()) {
            return Map.of();
        }
        return statements.query(
                "DESCRIBE SELECT * FROM " + ReadParquet.of(paths(inputs), "union_by_name = true"), result -> {
                    Map<String, String> types = new LinkedHashMap<>();
                    while (result.next()) {
                        types.put(result.getString(1), result.getString(2));
                    }
                    return types;
                });
    }

    private void chooseBits(SortedMap<Integer, MergeSource> inputs) {
        if (inputs.isEmpty()) {
            return;
        }
        String numbers = inputs.entrySet().stream()
                .map(input -> "(" + input.getKey() + ", "
                        + ExportSql.literal(input.getValue().path().toString()) + ")")
                .collect(Collectors.joining(", "));
        statements.execute("CREATE OR REPLACE TEMP TABLE " + BITS + " AS SELECT path, row_number >> " + CHUNK_BITS
                + " AS chunk, bitstring_agg((row_number & " + CHUNK_MASK + ")::INTEGER, 0, " + CHUNK_MASK
                + ") AS bits FROM " + CHOSEN + " JOIN (VALUES " + numbers
                + ") n(source, path) USING (source) GROUP BY path, row_number >> " + CHUNK_BITS);
    }

    private String chosen(SortedMap<Integer, MergeSource> inputs) {
        if (inputs.isEmpty()) {
            return " WHERE false";
        }
        return " FROM "
                + ReadParquet.of(
                        paths(inputs.values()),
                        "union_by_name = true",
                        "filename = '" + MergeSourceReader.FILE_COLUMN + "'",
                        "file_row_number = true")
                + " f JOIN " + BITS + " b ON b.path = f."
                + MergeSourceReader.FILE_COLUMN + " AND b.chunk = f.file_row_number >> " + CHUNK_BITS
                + " WHERE get_bit(b.bits, (f.file_row_number & " + CHUNK_MASK + ")::INTEGER) = 1 AND "
                + statements.wanted().condition("f." + MergeSourceReader.ROW_NUMBER_COLUMN);
    }

    private static String paths(Collection<MergeSource> inputs) {
        return inputs.stream()
                .map(input -> ExportSql.literal(input.path().toString()))
                .collect(Collectors.joining(", ", "[", "]"));
    }

    /** Sorted where memory allows. */
    private ParquetCopy copy(
            String select, long rows, long rowBytes, CdcConfig config, String fieldIds, LongConsumer progress) {
        if (memory.canSort(rows, rowBytes)) {
            try {
                return copy(select + " ORDER BY row_id", config, fieldIds, progress);
            } catch (CdcException e) {
                if (!DuckStatements.outOfMemory(e)) {
                    throw e;
                }
                LOG.debug("{}: no memory to sort {} rows, which stay as they are", statements.subject(), rows);
            }
        }
        return copy(select, config, fieldIds, progress);
    }

    /** A limit that none reaches keeps DuckDB from asking of all rows, or before the sort, what is to be asked at the end. */
    private ParquetCopy copy(String select, CdcConfig config, String fieldIds, LongConsumer progress) {
        Path file = folder.resolve(UuidV7.next() + ".parquet");
        String counted = "SELECT * FROM (" + select + " LIMIT " + MOST_ROWS + ") WHERE "
                + statements.wanted().countingCondition("changed_at");
        try {
            return statements.copy(
                    "COPY (" + counted + ") "
                            + ParquetCopy.to(file.toString(), config, memory.rowGroupSize(), fieldIds),
                    stats -> ParquetCopy.read(stats, file.toString()),
                    progress);
        } catch (RuntimeException | Error e) {
            ParquetCopy.deleteAfter(e, file);
            throw e;
        }
    }

    /** Chosen rows in a part. */
    long count(RowIdInterval part) {
        return statements.query(
                "SELECT count(*) FROM " + CHOSEN + " WHERE " + LooseVersions.inInterval("row_id", part), result -> {
                    result.next();
                    return result.getLong(1);
                });
    }

    /** Parts of the bounds with about as many chosen rows each, and at least one row unless there is none at all. */
    private List<RowIdInterval> parts(RowIdInterval bounds, int files) {
        long rows = count(bounds);
        if (files == 1 || rows < 2) {
            return List.of(bounds);
        }
        String places = IntStream.range(1, files)
                .mapToObj(i -> String.valueOf((double) i / files))
                .collect(Collectors.joining(", "));
        long every = Math.max(1, rows / ((long) SAMPLE_PER_FILE * files));
        LinkedHashSet<UUID> cuts = statements.query(
                "SELECT cut FROM (SELECT unnest(quantile_disc(row_id, [" + places + "])) AS cut FROM " + CHOSEN
                        + " WHERE hash(row_id) % " + every + " = 0) WHERE cut < (SELECT max(row_id) FROM " + CHOSEN
                        + ") ORDER BY cut",
                result -> {
                    LinkedHashSet<UUID> found = new LinkedHashSet<>();
                    while (result.next()) {
                        found.add(UUID.fromString(result.getString(1)));
                    }
                    return found;
                });
        return RowIdInterval.pieces(bounds.after(), bounds.upTo(), List.copyOf(cuts));
    }

    /** Lets go of the memory of the last choice. */
    static void forget(DuckStatements statements) {
        for (String table : List.of(CHOSEN, BITS)) {
            try (Statement statement = statements.connection().createStatement()) {
                statement.execute("DROP TABLE IF EXISTS " + table);
            } catch (SQLException e) {
                LOG.debug("could not drop {}", table, e);
            }
        }
    }
}
