package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.manifest.CompactionLoop;
import io.formacdc.manifest.SweepOptions;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A null names its argument, and comes before all else: even before a configuration that cannot work is refused. */
@SuppressWarnings("NullAway")
final class NullArgumentTest {
    private static final CdcConfig HOPELESS = CdcConfig.builder().build();
    private static final CdcConfig GOOD = CdcConfig.builder()
            .pgHost("localhost")
            .pgUser("u")
            .pgDb("d")
            .s3Bucket("lake")
            .s3Region("eu-central-1")
            .manifestPrefix("m")
            .build();

    @Test
    void cdcRefusesNull() {
        assertNamed("config", () -> Cdc.runOnce(null, null, false, null));
        assertNamed("config", () -> Cdc.compact(null, CompactionConfig.builder().build(), null));
        assertNamed("compaction", () -> Cdc.compact(HOPELESS, null, null));
        assertNamed("config", () -> Cdc.exportBase(null, null, 7, BaseExportOptions.DEFAULTS, null));
        assertNamed("options", () -> Cdc.exportBase(HOPELESS, null, 7, null, null));
        assertNamed("config", () -> Cdc.planBase(null, null, 7, BaseExportOptions.DEFAULTS, null));
        assertNamed("options", () -> Cdc.planBase(HOPELESS, null, 7, null, null));
        assertNamed("config", () -> Cdc.purgeFlushed(null, null, 7, Duration.ofDays(1)));
        assertNamed("olderThan", () -> Cdc.purgeFlushed(HOPELESS, null, 7, null));
        assertNamed("config", () -> Cdc.sweep(null, SweepOptions.DEFAULTS, null));
        assertNamed("options", () -> Cdc.sweep(HOPELESS, null, null));
        assertNamed("config", () -> Cdc.reconcile(null, null, 7, Depth.LISTING));
        assertNamed("depth", () -> Cdc.reconcile(HOPELESS, null, 7, null));
        assertNamed("config", () -> Cdc.repair(null, null, 7));
    }

    @Test
    void aRunnerRefusesNull() {
        assertNamed("config", () -> CdcRunner.create(null, null, null));
        assertNamed("listener", () -> CdcRunner.builder(HOPELESS).listener(null));
        try (CdcRunner runner = CdcRunner.create(GOOD, null, null)) {
            assertNamed("compaction", () -> runner.compactor(null));
            assertNamed("options", () -> runner.sweeper(null));
            assertNamed("olderThan", () -> runner.purgeFlushed(7, null));
            assertNamed("options", () -> runner.exportBase(7, null));
            assertNamed("options", () -> runner.planBase(7, null));
            assertNamed(
                    "schemaIds",
                    () -> runner.compactor(CompactionConfig.builder().build()).runOnce(null));
            assertNamed(
                    "interval",
                    () -> CompactionLoop.start(
                            runner.compactor(CompactionConfig.builder().build()), null));
        }
        assertNamed("compactor", () -> CompactionLoop.start(null, Duration.ofHours(1)));
    }

    @Test
    void aReconcilerRefusesNull() {
        assertNamed("config", () -> Reconciler.create(null, null));
        try (Reconciler reconciler = Reconciler.create(GOOD, null)) {
            assertNamed("depth", () -> reconciler.check(7, null));
        }
    }

    private static void assertNamed(String argument, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(argument);
    }
}
