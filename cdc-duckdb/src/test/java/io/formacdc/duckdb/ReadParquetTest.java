package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadParquetTest {
    @Test
    void foldersGiveNoColumnsAndOptionsFollow() {
        assertThat(ReadParquet.of("'a.parquet'")).isEqualTo("read_parquet('a.parquet', hive_partitioning = false)");
        assertThat(ReadParquet.of("['a', 'b']", "union_by_name = true", "file_row_number = true"))
                .isEqualTo("read_parquet(['a', 'b'], hive_partitioning = false, union_by_name = true,"
                        + " file_row_number = true)");
    }

    /** One call that leaves the option out is enough to give every row what a folder's name says. */
    @Test
    void nobodyElseWritesTheCall() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            List<String> callers = files.filter(Files::isRegularFile)
                    .filter(file -> read(file).contains("read_parquet("))
                    .map(file -> file.getFileName().toString())
                    .toList();
            assertThat(callers).containsExactly("ReadParquet.java");
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
