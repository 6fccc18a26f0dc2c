package io.formacdc.examples.testbed;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Reads what writers know, at one instant, and then the listed files, with a query of its own, and says what is wrong.
 * Of a row that was not dirty at that instant, the files must hold that version, or a later one; with every value that
 * follows from the version. Thread-safe.
 */
final class Oracle implements AutoCloseable {
    private static final String WRITTEN = """
        SELECT v.row_id, v.version, v.is_live, c.row_id IS NOT NULL AS is_dirty FROM row_version v
        LEFT JOIN change_log c ON c.schema_id = v.schema_id AND c.row_id = v.row_id AND c.flushed_at = 0
        WHERE v.schema_id = ?\
        """;

    private static final String FILES = """
        SELECT row_id, changed_at, coalesce(deleted_at, 0) > 0 AS is_deleted,
          concat_ws('|', title, amount, note, total, array_to_string(tags, ',')) AS content
        FROM read_parquet(%s, union_by_name = true)
        QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY changed_at DESC, coalesce(deleted_at, 0) DESC) = 1\
        """;

    /** No sweep that works beside readers has a shorter one. */
    static final Duration LEAST_GRACE = Duration.ofSeconds(5);

    private final Deployment deployment;
    private final S3Client client;
    private final ObjectStore store;
    private final ManifestStore manifests;
    final AtomicLong reads = new AtomicLong();
    final AtomicLong rowsChecked = new AtomicLong();
    final AtomicLong rowsMovedOn = new AtomicLong();
    final AtomicLong listsOutdated = new AtomicLong();

    Oracle(Deployment deployment) {
        this.deployment = deployment;
        this.client = deployment.client();
        CdcConfig config = deployment.config().build().withDefaults();
        this.store = new S3ObjectStore(S3FullClient.of(client), config.s3Bucket());
        this.manifests =
                new ManifestStore(store, ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.of(config));
    }

    /** A row as its writers know it. */
    private record Written(long version, boolean isLive, boolean isDirty) {}

    /** A row as the files show it. */
    private record Seen(
            long version, boolean isDeleted, @Nullable String content) {}

    /** Checks while writers write. */
    void check(int schemaId) throws SQLException, IOException, InterruptedException {
        check(schemaId, false, Duration.ZERO);
    }

    /** As a reader does that has its list for almost as long as it may: what is swept meanwhile must not be on it. */
    void checkLate(int schemaId) throws SQLException, IOException, InterruptedException {
        check(schemaId, false, LEAST_GRACE.minusSeconds(1));
    }

    /** Checks when nothing moves and everything is flushed: nothing may be dirty, and no row may be ahead. */
    void checkAtRest(int schemaId) throws SQLException, IOException, InterruptedException {
        check(schemaId, true, Duration.ZERO);
    }

    private void check(int schemaId, boolean isAtRest, Duration pause)
            throws SQLException, IOException, InterruptedException {
        Path folder = Files.createTempDirectory("test-bed-oracle");
        try {
            Map<UUID, Written> written = written(schemaId);
            Map<UUID, Seen> seen = seen(download(schemaId, folder, pause));
            List<String> wrong = new ArrayList<>();
            written.forEach((id, row) -> compare(id, row, seen.remove(id), isAtRest, wrong));
            // The rest is of rows first written after that instant.
            seen.forEach((id, row) -> {
                checkContent(id, row, wrong);
                if (isAtRest) {
                    wrong.add(id + " was never written: " + row);
                }
            });
            reads.incrementAndGet();
            rowsChecked.addAndGet(written.size());
            if (!wrong.isEmpty()) {
                throw new AssertionError("schema " + schemaId + ": " + wrong.size() + " rows are wrong: "
                        + wrong.subList(0, Math.min(5, wrong.size())));
            }
        } finally {
            delete(folder);
        }
    }

    private void compare(UUID id, Written row, @Nullable Seen seen, boolean isAtRest, List<String> wrong) {
        if (seen != null) {
            checkContent(id, seen, wrong);
        }
        if (isAtRest && row.isDirty()) {
            wrong.add(id + " is dirty still: " + row);
        } else if (seen != null && seen.version() > row.version()) {
            rowsMovedOn.incrementAndGet();
            if (isAtRest) {
                wrong.add(id + " is ahead: " + seen + " for " + row);
            }
        } else if (!row.isDirty()) {
            boolean isSeenLive = seen != null && !seen.isDeleted();
            if (isSeenLive != row.isLive() || (seen != null && row.isLive() && seen.version() != row.version())) {
                wrong.add(id + ": " + seen + " for " + row);
            }
        }
    }

    /** As {@code writer.sql} makes them. */
    private static void checkContent(UUID id, Seen row, List<String> wrong) {
        long v = row.version();
        String tags =
                LongStream.rangeClosed(1, v % 4).mapToObj(i -> v + "-" + i).collect(Collectors.joining(","));
        String expected = "t" + v + "|" + v + "|n" + v + "|" + v + "|" + tags;
        if (!row.isDeleted() && !expected.equals(row.content())) {
            wrong.add(id + " is torn: " + row);
        }
    }

    private Map<UUID, Written> written(int schemaId) throws SQLException {
        Map<UUID, Written> written = new HashMap<>();
        try (Connection connection = deployment.connect();
                PreparedStatement statement = connection.prepareStatement(WRITTEN)) {
            statement.setInt(1, schemaId);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    written.put(
                            rows.getObject(1, UUID.class),
                            new Written(rows.getLong(2), rows.getBoolean(3), rows.getBoolean(4)));
                }
            }
        }
        return written;
    }

    /** Listed files; what a sweep has deleted meanwhile, after its grace, is not listed any more. */
    private List<Path> download(int schemaId, Path folder, Duration pause) throws InterruptedException {
        for (int tries = 1; ; tries++) {
            long resolvedAt = System.nanoTime();
            List<String> keys = listedKeys(schemaId);
            if (new HashSet<>(keys).size() < keys.size()) {
                throw new AssertionError("schema " + schemaId + ": a path is listed twice: " + keys);
            }
            List<Path> files = new ArrayList<>();
            Thread.sleep(pause.toMillis());
            try {
                for (String key : keys) {
                    Path file = folder.resolve(tries + "-" + files.size() + ".parquet");
                    store.download(key, file);
                    files.add(file);
                }
                return files;
            } catch (ObjectNotFoundException e) {
                long millis = (System.nanoTime() - resolvedAt) / 1_000_000;
                listsOutdated.incrementAndGet();
                if (tries == 5
                        || millis < LEAST_GRACE.toMillis()
                        || listedKeys(schemaId).equals(keys)) {
                    throw new AssertionError(
                            "schema " + schemaId + ": a file is missing, " + millis + " ms after it was listed", e);
                }
            }
        }
    }

    private List<String> listedKeys(int schemaId) {
        return manifests.load(schemaId).manifest().entries().stream()
                .map(ManifestEntry::key)
                .toList();
    }

    private static Map<UUID, Seen> seen(List<Path> files) throws SQLException {
        Map<UUID, Seen> seen = new HashMap<>();
        if (files.isEmpty()) {
            return seen;
        }
        String list = files.stream().map(file -> "'" + file + "'").collect(Collectors.joining(", ", "[", "]"));
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement();
                ResultSet rows = statement.executeQuery(FILES.formatted(list))) {
            while (rows.next()) {
                seen.put((UUID) rows.getObject(1), new Seen(rows.getLong(2), rows.getBoolean(3), rows.getString(4)));
            }
        }
        return seen;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Override
    public void close() {
        client.close();
    }

    @Override
    public String toString() {
        return reads + " reads, " + rowsChecked + " rows checked, " + rowsMovedOn + " of them changed while reading, "
                + listsOutdated + " lists outdated while reading";
    }
}
