package io.formacdc.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.UuidV7;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.LongStream;

/** Files of tests: a line of text for each row, in the place of Parquet. */
final class Lines {
    private Lines() {}

    /**
     * A version of a row. Its contents are its {@code changedAt}: no two versions of a row have the same.
     *
     * @param deletedAt 0 for a live one
     */
    record Row(UUID id, long changedAt, long deletedAt) {
        static final Comparator<Row> NEWEST_LAST =
                Comparator.comparingLong(Row::changedAt).thenComparingLong(Row::deletedAt);

        boolean isLive() {
            return deletedAt == 0;
        }

        @Override
        public String toString() {
            return id + " " + changedAt + " " + deletedAt;
        }

        private static Row parse(String line) {
            String[] words = line.split(" ", -1);
            return new Row(UUID.fromString(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
        }
    }

    /** Writes rows, which are in row-id order, to a new file. */
    static Path write(Path folder, List<Row> rows) {
        Path file = folder.resolve(UuidV7.next() + ".txt");
        try {
            return Files.write(file, rows.stream().map(Row::toString).toList());
        } catch (IOException e) {
            throw new CdcException("no file", e);
        }
    }

    static List<Row> read(Path file) {
        try {
            return parse(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new CdcException("no file", e);
        }
    }

    static List<Row> parse(byte[] content) {
        return new String(content, UTF_8).lines().map(Row::parse).toList();
    }

    /** What is in a file of these rows. */
    static FileContents contents(Path file, List<Row> rows) {
        LongStream versions = rows.stream().mapToLong(Row::changedAt);
        try {
            return new FileContents(
                    rows.size(),
                    Files.size(file),
                    FileContents.checksumOf(file),
                    rows.isEmpty()
                            ? null
                            : new RowIdRange(
                                    rows.get(0).id(), rows.get(rows.size() - 1).id()),
                    rows.isEmpty()
                            ? null
                            : new VersionRange(
                                    rows.stream()
                                            .mapToLong(Row::changedAt)
                                            .min()
                                            .orElseThrow(),
                                    versions.max().orElseThrow()),
                    Map.of("row_id", "UUID"));
        } catch (IOException e) {
            throw new CdcException("no file", e);
        }
    }

    /** The newest version of each row, tombstones included. */
    static Map<UUID, Row> newest(List<Row> rows) {
        TreeMap<UUID, Row> newest = new TreeMap<>(RowIdInterval.BYTE_ORDER);
        rows.forEach(row -> newest.merge(row.id(), row, (a, b) -> Row.NEWEST_LAST.compare(a, b) >= 0 ? a : b));
        return newest;
    }
}
