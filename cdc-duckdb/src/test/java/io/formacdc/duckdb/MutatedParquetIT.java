package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.Merger.LocalFile;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import io.formacdc.duckdb.ParquetMutations.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Parquet files that are not what they were. No checksum is in the way here: what is broken goes to DuckDB, which ends
 * with a clear error, or a right result; or with wrong values, where nothing but the checksum could have found them.
 */
@Timeout(900)
final class MutatedParquetIT {
    private static final int MUTATIONS = Integer.getInteger("mutations", 270);
    private static final int PER_SESSION = 30;
    private static final List<Kind> KINDS = List.of(Kind.values());

    /** Rows of two row groups. */
    private static final String ROWS = "SELECT " + TestMerge.SYSTEM + ", 'text ' || (n * %d) AS v FROM"
            + " (SELECT i AS n, %d + i %% 900 AS changed_at, 0 AS deleted_at FROM range(%d, 2600) r(i))";

    /** What is not as this library writes it, in one column or another. */
    private static final List<String> OTHER_SCHEMAS = List.of(
            "row_id::VARCHAR AS row_id",
            "md5(row_id::VARCHAR)::BLOB AS row_id",
            "NULL::UUID AS row_id",
            "changed_at::VARCHAR AS changed_at",
            "changed_at::INTEGER AS changed_at",
            "NULL::BIGINT AS changed_at",
            "changed_at::DOUBLE AS changed_at",
            "to_timestamp(changed_at) AS changed_at",
            "[changed_at] AS changed_at",
            "deleted_at::BOOLEAN AS deleted_at",
            "8::SMALLINT AS schema_id",
            "schema_id::VARCHAR AS schema_id",
            "v::BLOB AS v",
            "[v] AS v",
            "{'a': v} AS v",
            "length(v) AS v");

    @TempDir
    private Path spill;

    private final Random random = new Random(31);
    private final Map<String, Map<String, Integer>> outcomes = new TreeMap<>();

    @Test
    void aMutatedFileEndsInAnErrorOrAResult() throws SQLException, IOException {
        CdcConfig config = TestMerge.config(spill).build();
        for (int done = 0, session = 0; done < MUTATIONS; session++) {
            try (TestMerge test = new TestMerge(config)) {
                String form = session % 2 == 0 ? "ZSTD" : "UNCOMPRESSED";
                Path good = file(test, "good", ROWS.formatted(1, 5, 0), form);
                Path other = file(test, "other", ROWS.formatted(3, 7, 600), form);
                assertThat(outcome(test, good, good)).isEqualTo("right");
                ParquetMutations mutations = new ParquetMutations(test, good, other, random);
                boolean isUsable = true;
                for (int i = 0; i < PER_SESSION && isUsable; i++, done++) {
                    Kind kind = KINDS.get(done % KINDS.size());
                    Path broken = Files.write(test.merge.folder().resolve("broken.parquet"), mutations.next(kind));
                    String outcome = count(kind.toString(), outcome(test, broken, good));
                    if (outcome.equals("wrong values")) {
                        assertThat(FileContents.checksumOf(broken))
                                .as("what a compaction compares first")
                                .isNotEqualTo(FileContents.checksumOf(good));
                    }
                    // Each merge has a database of its own; the next one has to do.
                    isUsable = outcome(test, good, good).equals("right");
                    if (!isUsable) {
                        count(kind.toString(), "no database left");
                    }
                }
            }
            assertThat(spill).isEmptyDirectory();
        }
        System.out.println("MutatedParquetIT: " + outcomes);
        assertThat(outcomes.values().stream()
                        .mapToInt(of -> of.getOrDefault("refused", 0))
                        .sum())
                .isGreaterThan(MUTATIONS / 4);
    }

    @Test
    void aFileOfAnotherSchemaEndsInAnErrorOrAResult() throws SQLException, IOException {
        try (TestMerge test = new TestMerge(TestMerge.config(spill).build())) {
            for (String column : OTHER_SCHEMAS) {
                String rows = "SELECT * REPLACE (" + column + ") FROM (" + ROWS.formatted(1, 5, 0) + ")";
                Path file = file(test, "broken", rows, "ZSTD");
                assertThat(count(column, outcome(test, file, file))).isNotEqualTo("wrong values");
            }
        }
        System.out.println("MutatedParquetIT: " + outcomes);
    }

    private static Path file(TestMerge test, String name, String rows, String compression) throws SQLException {
        Path file = test.merge.folder().resolve(name + ".parquet");
        test.sql("COPY (" + rows + ") TO " + ExportSql.literal(file.toString())
                + " (FORMAT PARQUET, ROW_GROUP_SIZE 2048, COMPRESSION " + compression + ")");
        return file;
    }

    private String count(String kind, String outcome) {
        outcomes.computeIfAbsent(kind, of -> new TreeMap<>()).merge(outcome, 1, Integer::sum);
        return outcome;
    }

    private static String outcome(TestMerge test, Path file, Path expected) throws SQLException, IOException {
        Source source = new Source("data/7/broken.parquet", file);
        try {
            test.merge.check(source);
            List<LocalFile> written = test.merge.writeBase(RowIdInterval.ALL, List.of(source), 1, rows -> {});
            String result = contents(test, written.get(0).path());
            for (LocalFile of : written) {
                Files.delete(of.path());
            }
            return result.equals(contents(test, expected)) ? "right" : "wrong values";
        } catch (CdcException e) {
            String message = String.valueOf(e.getMessage());
            assertThat(message).contains("schema 7").doesNotContain(String.valueOf(test.merge.folder()));
            return message.contains("data/7/broken.parquet") ? "refused" : "refused, and not named";
        }
    }

    /** A digest of all rows, as text. */
    private static String contents(TestMerge test, Path file) throws SQLException {
        List<@Nullable String> row = TestHost.rows(
                        test.duckDb,
                        "SELECT count(*), bit_xor(hash(concat_ws('|', row_id, changed_at, deleted_at, v))) FROM read_parquet("
                                + ExportSql.literal(file.toString()) + ")")
                .get(0);
        return String.valueOf(row);
    }
}
