package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Looks for what a pass may leave nowhere, however it ended. */
final class Leftovers {
    private Leftovers() {}

    /** Checks that no backend, lock, thread or spill file of a pass is left. Backends need a moment to see their end. */
    static void assertNone(TestHost host, Path spillFolder) {
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("forma-cdc"));
        try (Stream<Path> files = Files.list(spillFolder)) {
            assertThat(files).isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        Awaitility.await("backends and locks of the pass")
                .atMost(Duration.ofSeconds(5))
                .until(() -> backends(host) == 0);
    }

    private static long backends(TestHost host) throws SQLException {
        return host.count("SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forma-cdc'"
                + " AND datname = current_database()) + (SELECT count(*) FROM pg_locks l JOIN pg_database d"
                + " ON d.oid = l.database AND d.datname = current_database() WHERE locktype = 'advisory')");
    }
}
