package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Too little memory is said to be that, with the knobs that help, and is never a file's fault. */
final class MergeOutOfMemoryIT {
    private static final String ROWS =
            "SELECT 7::SMALLINT AS schema_id, md5(i::VARCHAR)::UUID AS row_id, 1::BIGINT AS changed_at, 0::BIGINT AS"
                    + " deleted_at, i AS ltbase_created_at, repeat(sha256(i::VARCHAR), 64) AS v FROM range(4000) t(i)";

    @TempDir
    private Path spill;

    @Test
    void whateverMemoryRunsOutTheKnobsAreNamedAndNoFileIsAccused() throws Exception {
        List<String> failures = new ArrayList<>();
        for (int kilobytes = 64; kilobytes <= 65_536; kilobytes *= 2) {
            String limit = kilobytes + "KB";
            try (TestMerge test =
                    new TestMerge(TestMerge.config(spill).duckMemLimit(limit).build())) {
                Source base = test.query("b", ROWS, "");
                Throwable thrown = catchThrowable(() -> {
                    test.merge.check(base);
                    test.merge.writeBase(RowIdInterval.ALL, List.of(base), 1, rows -> {});
                });
                if (thrown != null) {
                    failures.add(String.valueOf(thrown.getMessage()));
                    assertNamesTheKnobs(thrown, limit);
                }
            }
        }
        System.out.println(String.join(System.lineSeparator(), failures));
        assertThat(failures)
                .anyMatch(failure -> failure.startsWith("schema 7, check of b: DuckDB failed: Out of Memory Error"))
                .anyMatch(
                        failure -> failure.startsWith("schema 7, merge of 1 base file: DuckDB failed: Out of Memory"));
    }

    @Test
    void filesThatAreOnlyReadAreNotAccusedEither() throws Exception {
        int failures = 0;
        try (TestMerge roomy = new TestMerge(TestMerge.config(spill).build())) {
            Path file = roomy.query("b", ROWS, "").path();
            for (int kilobytes = 64; kilobytes <= 65_536; kilobytes *= 2) {
                String limit = kilobytes + "KB";
                Throwable thrown = catchThrowable(() ->
                        read(file, TestMerge.config(spill).duckMemLimit(limit).build()));
                if (thrown != null) {
                    failures++;
                    assertNamesTheKnobs(thrown, limit);
                }
            }
        }
        assertThat(failures).isPositive();
    }

    private static void read(Path file, CdcConfig config) throws IOException {
        try (InterruptWatch watch = InterruptWatch.open();
                FileScan scan = FileScan.open(config, TestMerge.SCHEMA, watch)) {
            scan.facts(Files.copy(file, scan.newFile()));
        }
    }

    private static void assertNamesTheKnobs(Throwable thrown, String limit) {
        assertThat(thrown)
                .isInstanceOf(CdcException.class)
                .isNotInstanceOf(FileScan.UnreadableException.class)
                .hasMessageContaining("raise duckMemLimit, which is " + limit + ", or lower duckThreads, which");
    }
}
