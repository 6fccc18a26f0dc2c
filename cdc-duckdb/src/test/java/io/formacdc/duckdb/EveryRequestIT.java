package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.duckdb.WatchedStore.Request;
import io.formacdc.duckdb.WatchedStore.Watcher;
import io.formacdc.manifest.BaseExport;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * On real parts: every request that an export, a compaction, a sweep or a repair makes of the store fails, or finds its
 * thread interrupted, before or after it took effect, in turns; with {@code -Drequests=all}, before and after. The lake
 * stays whole, and the next run finishes the work.
 */
@Timeout(600)
@ExtendWith(NoSecretInLogs.class)
final class EveryRequestIT {
    private static final Duration PROMPTLY = Duration.ofSeconds(2);
    private static final int SCHEMA = BrokenLake.SCHEMA;
    private static final boolean ALL = "all".equals(System.getProperty("requests"));

    private enum Work {
        EXPORT,
        COMPACTION,
        SWEEP,
        REPAIR
    }

    @TempDir
    private Path folder;

    @TempDir
    private Path spill;

    private TestHost host;
    private BrokenLake lake;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        lake.entities.insertMany(20);
        lake.flush();
        lake.entities.update(host.connection, lake.entities.id(1), Entities.FIRST_VERSION + 100);
        lake.entities.delete(host.connection, lake.entities.id(2), Entities.FIRST_VERSION + 101);
        lake.flush();
    }

    @AfterEach
    void stop() throws SQLException {
        host.close();
    }

    /** What there is to be done, and where it begins. */
    private LakeCopy prepare(Work work) {
        if (work == Work.SWEEP) {
            lake.copy(lake.manifest().entries().get(0).key(), "U.parquet");
            run(Work.COMPACTION, host.store());
        } else if (work == Work.REPAIR) {
            lake.unlist(lake.manifest().entries().get(1).key());
        }
        return LakeCopy.of(host);
    }

    private void run(Work work, ObjectStore store) {
        CdcConfig config =
                lake.config.toBuilder().spillDirectory(spill.toString()).build().validate();
        ManifestStoreOptions options = ManifestStoreOptions.builder()
                .maxRetries(1)
                .baseBackoff(Duration.ofMillis(1))
                .build();
        ManifestStore manifests =
                new ManifestStore(store, ManifestConfig.of(config).orElseThrow(), options);
        switch (work) {
            case EXPORT -> export(config, store, manifests);
            case COMPACTION -> {
                CompactionConfig compaction = CompactionConfig.builder()
                        .schemaId(SCHEMA)
                        .maxParallelFiles(1)
                        .build()
                        .withDefaults();
                Compactor.Ports ports = new Compactor.Ports(store, manifests, new DuckMerger(config));
                new Compactor(config, compaction, ports, CdcListener.NONE, Clock.systemUTC()).runOnce();
            }
            case SWEEP ->
                new Sweeper(
                                store,
                                manifests,
                                config.s3Prefix(),
                                SweepOptions.DEFAULTS,
                                Clock.offset(Clock.systemUTC(), Duration.ofHours(1)))
                        .sweep(SCHEMA);
            case REPAIR -> {
                try (Reconciler reconciler = new Reconciler(config, PgDataSources.of(config), store, null)) {
                    reconciler.repair(SCHEMA);
                }
            }
        }
    }

    private static void export(CdcConfig config, ObjectStore store, ManifestStore manifests) {
        TrackedConnections connections = new TrackedConnections(PgDataSources.of(config));
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter exporter = new PgExporter(config, connections, watch)) {
            BaseExport.Ports ports = new BaseExport.Ports(
                    new JdbcChangeLogStore(connections, config.changeLogTable()), exporter, store, manifests);
            new BaseExport(config, ports, Entities.REGISTRY, CdcListener.NONE, Clock.systemUTC())
                    .run(SCHEMA, BaseExportOptions.DEFAULTS.replacingDeltas());
        }
    }

    private int requestsOf(Work work, LakeCopy start) throws Exception {
        WatchedStore counting = new WatchedStore(host.store(), new Watcher() {});
        run(work, counting);
        start.restore();
        return counting.requests().size();
    }

    /** A repair may be needed still; otherwise readers see what the tables hold. */
    private void assertWhole(Work work, LakeCopy start) throws Exception {
        List<String> listed = host.listedKeys(SCHEMA);
        assertThat(listed).doesNotHaveDuplicates();
        assertThat(host.dataKeys()).containsAll(listed);
        if (work != Work.REPAIR) {
            lake.entities.assertLakeEqualsPostgres(lake.config);
        }
        Leftovers.assertNone(host, spill);
        run(work, host.store());
        lake.entities.assertLakeEqualsPostgres(lake.config);
        start.restore();
    }

    @ParameterizedTest
    @EnumSource
    void everyRequestFailsAloneAndThoseOfARepairInPairs(Work work) throws Exception {
        LakeCopy start = prepare(work);
        int requests = requestsOf(work, start);
        int cases = 0;
        for (int first = 1; first <= requests; first++) {
            for (boolean before : moments(first)) {
                fail(work, first, before, 0, true);
                assertWhole(work, start);
                cases++;
                // A failed save is followed by a reload.
                int last = work != Work.REPAIR ? first : ALL ? requests + 1 : first + 1;
                for (int second = first + 1; second <= last; second++) {
                    for (boolean beforeSecond : moments(first + second)) {
                        fail(work, first, before, second, beforeSecond);
                        assertWhole(work, start);
                        cases++;
                    }
                }
            }
        }
        System.out.println("EveryRequestIT: " + work + ": " + requests + " requests, " + cases + " faults");
    }

    /** Whether before the request took effect, or not. */
    private static List<Boolean> moments(int request) {
        return ALL ? List.of(true, false) : List.of(request % 2 == 0);
    }

    private void fail(Work work, int first, boolean before, int second, boolean beforeSecond) {
        Watcher one = WatchedStore.failing(first, before);
        Watcher two = WatchedStore.failing(second, beforeSecond);
        Watcher both = new Watcher() {
            @Override
            public void before(Request request) {
                one.before(request);
                two.before(request);
            }

            @Override
            public void after(Request request) {
                one.after(request);
                two.after(request);
            }
        };
        Throwable thrown = catchThrowable(() -> run(work, new WatchedStore(host.store(), both)));
        if (thrown != null) {
            assertThat(thrown).isInstanceOf(CdcException.class).hasMessageContaining("injected");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptAtEveryRequestEndsTheWorkWithinTwoSeconds(Work work) throws Exception {
        LakeCopy start = prepare(work);
        int requests = requestsOf(work, start);
        long slowest = 0;
        int points = 0;
        for (int number = 1; number <= requests; number++) {
            for (boolean before : moments(number)) {
                slowest = Math.max(slowest, interrupt(work, number, before));
                assertWhole(work, start);
                points++;
            }
        }
        System.out.println(
                "EveryRequestIT: " + work + " interrupted at " + points + " points, ended within " + slowest + " ms");
        assertThat(Duration.ofMillis(slowest)).isLessThan(PROMPTLY);
    }

    /** Milliseconds from the interrupt to the end. */
    private long interrupt(Work work, int number, boolean before) {
        Thread caller = Thread.currentThread();
        AtomicLong interruptedAt = new AtomicLong();
        Watcher interrupting = new Watcher() {
            @Override
            public void before(Request request) {
                interruptAt(request, before);
            }

            @Override
            public void after(Request request) {
                interruptAt(request, !before);
            }

            private void interruptAt(Request request, boolean now) {
                if (now && request.number() == number) {
                    interruptedAt.set(System.nanoTime());
                    caller.interrupt();
                }
            }
        };
        Throwable thrown = catchThrowable(() -> run(work, new WatchedStore(host.store(), interrupting)));
        long took = (System.nanoTime() - interruptedAt.get()) / 1_000_000;
        assertThat(Thread.interrupted())
                .as("the flag is kept at request %d", number)
                .isTrue();
        if (thrown != null) {
            // Where a save was under way, that its outcome is not known counts for more than the interrupt.
            assertThat(thrown)
                    .isInstanceOfAny(
                            CdcInterruptedException.class,
                            CommitStateUnknownException.class,
                            ObjectStoreException.class);
        }
        return took;
    }
}
