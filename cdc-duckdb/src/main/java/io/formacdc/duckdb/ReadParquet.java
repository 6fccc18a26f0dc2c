package io.formacdc.duckdb;

/** How DuckDB is asked to read the library's files: a folder called {@code n=99} gives them no column {@code n}. */
final class ReadParquet {
    private ReadParquet() {}

    /**
     * The table function.
     *
     * @param files a literal, or a list of them in brackets
     * @param options as in {@code union_by_name = true}
     */
    static String of(String files, String... options) {
        StringBuilder sql = new StringBuilder("read_parquet(" + files + ", hive_partitioning = false");
        for (String option : options) {
            sql.append(", ").append(option);
        }
        return sql.append(')').toString();
    }
}
