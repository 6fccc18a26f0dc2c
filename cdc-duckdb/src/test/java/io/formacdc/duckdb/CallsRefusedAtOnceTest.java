package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3ListingClient;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What can be told before anything is asked of PostgreSQL or S3 is told then. */
final class CallsRefusedAtOnceTest {
    private static final CdcConfig CONFIG =
            CdcConfig.builder().s3Bucket("lake").manifestPrefix("m").build();
    private static final CompactionConfig COMPACTION =
            CompactionConfig.builder().build();

    /** Every method of a runner that opens something, or hands out what does. */
    private static final Map<String, Consumer<CdcRunner>> CALLS = new TreeMap<>(Map.of(
            "runOnce", runner -> runner.runOnce(false),
            "dryRun", runner -> runner.runOnce(true),
            "exportBase", runner -> runner.exportBase(7, BaseExportOptions.DEFAULTS),
            "planBase", runner -> runner.planBase(7, BaseExportOptions.DEFAULTS),
            "purgeFlushed", runner -> runner.purgeFlushed(7, Duration.ofDays(1)),
            "compactor", runner -> runner.compactor(COMPACTION).runOnce(),
            "sweeper", runner -> runner.sweeper(SweepOptions.DEFAULTS).sweep(),
            "check", runner -> runner.reconciler().check(7, Depth.LISTING),
            "repair", runner -> runner.reconciler().repair(7),
            "openLakeWithDirtyRows", runner -> runner.openLakeWithDirtyRows(7)));

    private static CdcRunner runner() {
        return CdcRunner.builder(CONFIG)
                .dataSource(untouchable(DataSource.class))
                .s3Client(untouchable(S3ListingClient.class))
                .build();
    }

    private static <T> T untouchable(Class<T> type) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    throw new AssertionError(method + " was called");
                }));
    }

    @Test
    void aClosedRunnerSaysSo() {
        CdcRunner runner = runner();
        runner.close();
        runner.close();
        CALLS.forEach((name, call) -> assertThatThrownBy(() -> call.accept(runner))
                .as(name)
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("this CdcRunner is closed; build another one"));
    }

    @Test
    void aThreadThatComesInterruptedIsToldSo() {
        CdcRunner runner = runner();
        CALLS.forEach((name, call) -> {
            if (name.equals("openLakeWithDirtyRows")) {
                return;
            }
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> call.accept(runner))
                    .as(name)
                    .isExactlyInstanceOf(CdcInterruptedException.class)
                    .hasMessageMatching("the calling thread was interrupted before the [a-z0-9 ]+ began;"
                            + " nothing was read or written");
            assertThat(Thread.interrupted()).as(name).isTrue();
        });
    }
}
