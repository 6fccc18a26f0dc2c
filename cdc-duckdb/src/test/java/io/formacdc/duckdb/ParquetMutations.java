package io.formacdc.duckdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Ways in which a Parquet file of the lake is not what it was. Seeded: the same files in every run. */
final class ParquetMutations {
    /** What is done to a file. */
    enum Kind {
        BYTES_ANYWHERE,
        BYTES_OF_THE_FOOTER,
        TRUNCATED,
        RANGE_LOST,
        RANGE_TWICE,
        FOOTER_OF_ANOTHER_FILE,
        COLUMN_OF_ANOTHER_FILE,
        COLUMNS_SWAPPED,
        WRONG_STATISTICS
    }

    /** A column chunk: where it is in its file. */
    private record Extent(int offset, int length) {}

    private static final int FOOTER_TAIL = 8;

    private final Random random;
    private final byte[] good;
    private final byte[] other;
    private final List<Extent> ofGood;
    private final List<Extent> ofOther;

    /**
     * @param good what is mutated
     * @param other a whole file of the same columns, with other rows
     */
    ParquetMutations(TestMerge test, Path good, Path other, Random random) throws SQLException, IOException {
        this.random = random;
        this.good = Files.readAllBytes(good);
        this.other = Files.readAllBytes(other);
        this.ofGood = extents(test, good);
        this.ofOther = extents(test, other);
    }

    private static List<Extent> extents(TestMerge test, Path file) throws SQLException {
        List<Extent> extents = new ArrayList<>();
        for (List<@Nullable String> row : TestHost.rows(
                test.duckDb,
                "SELECT least(data_page_offset, coalesce(dictionary_page_offset, data_page_offset)),"
                        + " total_compressed_size FROM parquet_metadata(" + ExportSql.literal(file.toString())
                        + ") ORDER BY row_group_id, column_id")) {
            extents.add(new Extent(Integer.parseInt("" + row.get(0)), Integer.parseInt("" + row.get(1))));
        }
        return extents;
    }

    byte[] next(Kind kind) {
        return switch (kind) {
            case BYTES_ANYWHERE -> bytes(0, good.length);
            case BYTES_OF_THE_FOOTER -> bytes(footerBegin(good), good.length);
            case TRUNCATED -> Arrays.copyOf(good, random.nextInt(good.length));
            case RANGE_LOST -> {
                int from = random.nextInt(good.length - 1);
                yield joined(from, Math.min(good.length, from + 1 + random.nextInt(64)));
            }
            case RANGE_TWICE -> {
                int from = random.nextInt(good.length);
                yield joined(from, Math.max(0, from - 1 - random.nextInt(64)));
            }
            case FOOTER_OF_ANOTHER_FILE -> {
                int body = footerBegin(good);
                int footer = footerBegin(other);
                byte[] bytes = Arrays.copyOf(good, body + other.length - footer);
                System.arraycopy(other, footer, bytes, body, other.length - footer);
                yield bytes;
            }
            case COLUMN_OF_ANOTHER_FILE -> columnOfAnotherFile();
            case COLUMNS_SWAPPED -> columnsSwapped();
            case WRONG_STATISTICS -> wrongStatistics();
        };
    }

    private byte[] bytes(int from, int to) {
        byte[] bytes = good.clone();
        for (int i = 0; i <= random.nextInt(4); i++) {
            bytes[from + random.nextInt(to - from)] = (byte) random.nextInt();
        }
        return bytes;
    }

    /** All up to one place, and all from another. */
    private byte[] joined(int upTo, int from) {
        byte[] bytes = Arrays.copyOf(good, upTo + good.length - from);
        System.arraycopy(good, from, bytes, upTo, good.length - from);
        return bytes;
    }

    private byte[] columnOfAnotherFile() {
        byte[] bytes = good.clone();
        int column = random.nextInt(Math.min(ofGood.size(), ofOther.size()));
        Extent to = ofGood.get(column);
        Extent from = ofOther.get(column);
        System.arraycopy(other, from.offset(), bytes, to.offset(), Math.min(from.length(), to.length()));
        return bytes;
    }

    private byte[] columnsSwapped() {
        byte[] bytes = good.clone();
        Extent one = ofGood.get(random.nextInt(ofGood.size()));
        Extent two = ofGood.get(random.nextInt(ofGood.size()));
        int length = Math.min(one.length(), two.length());
        System.arraycopy(good, one.offset(), bytes, two.offset(), length);
        System.arraycopy(good, two.offset(), bytes, one.offset(), length);
        return bytes;
    }

    /** Another number in place of eight bytes that a statistic of the versions holds, if they are in the footer. */
    private byte[] wrongStatistics() {
        byte[] bytes = good.clone();
        List<Integer> places = new ArrayList<>();
        for (int i = footerBegin(good); i < good.length - FOOTER_TAIL - 8; i++) {
            // Numbers of this test are below 2^16 and above 0.
            boolean isNumber = (bytes[i] != 0 || bytes[i + 1] != 0);
            for (int j = 2; j < 8; j++) {
                isNumber &= bytes[i + j] == 0;
            }
            if (isNumber) {
                places.add(i);
            }
        }
        if (!places.isEmpty()) {
            int place = places.get(random.nextInt(places.size()));
            bytes[place] = (byte) random.nextInt();
            bytes[place + 1] = (byte) random.nextInt();
        }
        return bytes;
    }

    private static int footerBegin(byte[] file) {
        int end = file.length - FOOTER_TAIL;
        int length = (file[end] & 0xFF) | (file[end + 1] & 0xFF) << 8 | (file[end + 2] & 0xFF) << 16;
        return end - length;
    }
}
