package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a merge shares out {@code duckMemLimit}. Immutable.
 *
 * @param threads of DuckDB
 * @param rowGroupBytes bound of the row groups it writes
 * @param sortableBytes up to here rows of any width are sorted
 * @param rawBytesOfAShare what can be merged in the memory of one thread, whatever it is
 */
record MergeMemory(int threads, long rowGroupBytes, long sortableBytes, long rawBytesOfAShare) {
    /** A thread holds an input's row group of one wide column, and its own four times over while it writes it. */
    private static final long BYTES_PER_THREAD = 250_000_000;

    /** Read, sorted, and held four times over while they are written, all bytes of a merge take less than so many. */
    private static final int MEMORY_BYTES_OF_A_RAW_ONE = 8;

    private static final long MEGABYTE = 1_000_000;
    private static final long MOST_ROW_GROUP_BYTES = 64 * MEGABYTE;
    private static final int ROW_GROUPS_PER_THREAD = 14;

    /**
     * Above that many bytes, DuckDB's sort of more rows than memory holds cannot be relied on: it pins 2048 rows of each
     * sorted run at once.
     */
    private static final long NARROW_ROW_BYTES = 128;

    private static final Pattern AMOUNT = Pattern.compile("([0-9.]+)\\s*([KMGT])(I?)B");

    static MergeMemory of(CdcConfig config) {
        long limit = bytes(config.duckMemLimit());
        int threads = (int) Math.max(1, Math.min(config.duckThreads(), limit / BYTES_PER_THREAD));
        long rowGroup = Math.min(MOST_ROW_GROUP_BYTES, limit / threads / ROW_GROUPS_PER_THREAD);
        return new MergeMemory(
                threads,
                Math.max(MEGABYTE, rowGroup / MEGABYTE * MEGABYTE),
                limit / 3,
                limit / threads / MEMORY_BYTES_OF_A_RAW_ONE);
    }

    /** How many of as many shares as there are threads a merge of so many bytes takes, before compression. */
    int shares(long rawBytes) {
        return (int) Math.min(threads, 1 + rawBytes / Math.max(1, rawBytesOfAShare));
    }

    /** For {@code ROW_GROUP_SIZE_BYTES}. */
    String rowGroupSize() {
        return rowGroupBytes / MEGABYTE + "MB";
    }

    /** Whether it is worth trying to sort so many rows of so many bytes each. */
    boolean canSort(long rows, long rowBytes) {
        return rowBytes <= NARROW_ROW_BYTES || rows <= sortableBytes / rowBytes;
    }

    private static long bytes(String amount) {
        Matcher matcher = AMOUNT.matcher(amount.trim().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("\"" + amount + "\" is no amount of memory");
        }
        int power = "KMGT".indexOf(matcher.group(2)) + 1;
        int unit = matcher.group(3).isEmpty() ? 1000 : 1024;
        return new BigDecimal(matcher.group(1))
                .multiply(BigDecimal.valueOf(unit).pow(power))
                .longValue();
    }
}
