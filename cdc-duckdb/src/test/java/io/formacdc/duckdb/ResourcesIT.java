package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcException;
import io.formacdc.core.CompactionConfig;
import io.formacdc.manifest.SweepOptions;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What many passes leave behind: nothing. {@code -Dpasses=1000} makes it a thousand. */
final class ResourcesIT {
    private static final int PASSES = Integer.getInteger("passes", 120);
    private static final int WARM_UP = 80;
    private static final long MOST_GROWTH_BYTES = 24 << 20;

    /** The compiler of the JVM has more of them at times; a DuckDB has four. */
    private static final int MOST_THREADS_MORE = 8;

    /** What DuckDB's allocator holds of freed memory goes up and down by a hundred megabytes. */
    private static final long MOST_NATIVE_GROWTH_BYTES = 256 << 20;

    @TempDir
    private Path spill;

    /**
     * @param heapBytes in use after a collection
     * @param threads of the JVM and of DuckDB
     */
    private record Figures(long heapBytes, long threads, long openFiles, long residentBytes) {
        static Figures now() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            Runtime runtime = Runtime.getRuntime();
            long files = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                    ? unix.getOpenFileDescriptorCount()
                    : 0;
            return new Figures(
                    runtime.totalMemory() - runtime.freeMemory(),
                    ProcessMemory.threads(),
                    files,
                    ProcessMemory.residentBytes());
        }
    }

    @Test
    void manyPassesLeaveNothingBehind() throws SQLException {
        try (TestHost host = new TestHost();
                Connection writer = host.postgres.dataSource().getConnection();
                CdcRunner runner = CdcRunner.create(
                        host.config().spillDirectory(spill.toString()).build(), host.client, Entities.REGISTRY)) {
            Entities entities = new Entities(host, 7).insertMany(10);
            for (int pass = 1; pass <= WARM_UP; pass++) {
                pass(pass, runner, entities, writer, host);
            }
            Figures before = Figures.now();
            for (int pass = WARM_UP + 1; pass <= WARM_UP + PASSES; pass++) {
                pass(pass, runner, entities, writer, host);
            }
            Figures after = Figures.now();
            System.out.println(
                    "ResourcesIT: after " + WARM_UP + " passes " + before + ", after " + PASSES + " more " + after);
            Leftovers.assertNone(host, spill);
            entities.assertLakeEqualsPostgres(host.config().build());
            assertThat(after.threads()).isLessThanOrEqualTo(before.threads() + MOST_THREADS_MORE);
            assertThat(after.openFiles()).isLessThanOrEqualTo(before.openFiles() + 8);
            assertThat(after.heapBytes()).isLessThan(before.heapBytes() + MOST_GROWTH_BYTES);
            assertThat(after.residentBytes()).isLessThan(before.residentBytes() + MOST_NATIVE_GROWTH_BYTES);
        }
    }

    /** Mostly flushes; each tenth is something else, and each twentieth fails. */
    private static void pass(int pass, CdcRunner runner, Entities entities, Connection writer, TestHost host)
            throws SQLException {
        entities.update(writer, entities.id(1 + pass % 10), Entities.FIRST_VERSION + 1_000 + pass);
        if (pass % 20 == 5) {
            host.sql("ALTER TABLE eav_data RENAME TO eav_gone");
            try {
                runner.runOnce(false);
            } catch (CdcException e) {
                assertThat(e).hasMessageContaining("eav_data");
            }
            host.sql("ALTER TABLE eav_gone RENAME TO eav_data");
        }
        runner.runOnce(false);
        switch (pass % 40) {
            case 10 -> runner.compactor(CompactionConfig.builder().build()).runOnce();
            case 20 -> runner.exportBase(7, BaseExportOptions.DEFAULTS.replacingDeltas());
            case 30 ->
                runner.sweeper(new SweepOptions(Duration.ofMillis(1), Duration.ofMillis(1)))
                        .sweep();
            default -> {}
        }
    }
}
