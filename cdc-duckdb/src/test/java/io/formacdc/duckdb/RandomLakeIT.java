package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A lake that lives: writers change entities, and flushes, compactions and sweeps come in any order, some of them dying
 * at any request to the store. After every single step, what a reader sees is what PostgreSQL holds, value by value, and
 * every listed file is there.
 */
class RandomLakeIT {
    private static final int STEPS = 300;

    private enum Step {
        CHURN,
        FLUSH,
        COMPACT,
        SWEEP,
        EXPORT,
        FLUSH_DIES,
        COMPACTION_DIES,
        SWEEP_DIES
    }

    @TempDir
    Path spill;

    private Duration clockAhead = Duration.ZERO;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void afterEveryStepReadersSeeWhatPostgresHolds(long seed) throws SQLException {
        Random random = new Random(seed);
        Map<Step, Integer> done = new EnumMap<>(Step.class);
        try (TestHost host = new TestHost();
                Connection writer = host.postgres.dataSource().getConnection()) {
            RandomEntities entities = new RandomEntities(writer, seed);
            entities.churn(30, 60);
            for (int i = 1; i <= STEPS; i++) {
                Step step = Step.values()[random.nextInt(Step.values().length)];
                String name = "seed " + seed + ", step " + i + ", " + step;
                take(step, host, entities, random, name);
                done.merge(step, 1, Integer::sum);
                assertEveryListedFileIsThere(host, name);
                try (Lake lake = Lake.openWithDirtyRows(
                        config(host, random), host.client, RandomEntities.SCHEMA, RandomEntities.REGISTRY)) {
                    assertThat(RandomEntities.inLake(lake)).as(name).isEqualTo(entities.inPostgres());
                }
            }
        }
        System.out.println("seed " + seed + ": " + done);
    }

    private void take(Step step, TestHost host, RandomEntities entities, Random random, String name)
            throws SQLException {
        switch (step) {
            case CHURN -> entities.churn(1 + random.nextInt(25), 60);
            case FLUSH -> Cdc.runOnce(config(host, random), host.client, false, RandomEntities.REGISTRY);
            case COMPACT -> compactor(host, host.store(), random).runOnce();
            case SWEEP -> sweep(host, host.store(), random);
            case EXPORT ->
                Cdc.exportBase(
                        config(host, random),
                        host.client,
                        RandomEntities.SCHEMA,
                        BaseExportOptions.DEFAULTS.replacingDeltas(),
                        RandomEntities.REGISTRY);
            case FLUSH_DIES ->
                dies(
                        name,
                        random,
                        12,
                        watcher -> new SteppedFlush(host)
                                .run(
                                        config(host, random),
                                        RandomEntities.REGISTRY,
                                        CdcListener.NONE,
                                        false,
                                        dying(random.nextInt(40))));
            case COMPACTION_DIES ->
                dies(
                        name,
                        random,
                        12,
                        watcher -> compactor(host, new WatchedStore(host.store(), watcher), random)
                                .runOnce());
            case SWEEP_DIES ->
                dies(name, random, 5, watcher -> sweep(host, new WatchedStore(host.store(), watcher), random));
        }
    }

    private interface Work {
        void run(WatchedStore.Watcher watcher) throws SQLException;
    }

    /** From some request on, every request fails, as for a process that is gone: nothing can be cleaned up. */
    private static void dies(String name, Random random, int mostRequests, Work work) throws SQLException {
        int last = 1 + random.nextInt(mostRequests);
        boolean before = random.nextBoolean();
        try {
            work.run(new WatchedStore.Watcher() {
                @Override
                public void before(WatchedStore.Request request) {
                    if (request.number() > last || (before && request.number() == last)) {
                        throw new ObjectStoreException("dead");
                    }
                }

                @Override
                public void after(WatchedStore.Request request) {
                    if (!before && request.number() == last) {
                        throw new ObjectStoreException("dead");
                    }
                }
            });
        } catch (CdcException e) {
            assertThat(String.valueOf(e.getMessage())).as(name).containsAnyOf("dead", "injected");
        }
    }

    /** From some point on every effect fails. */
    private static SteppedFlush.Step dying(int points) {
        int[] left = {points};
        return point -> {
            if (left[0]-- <= 0) {
                SteppedFlush.fail();
            }
        };
    }

    private CdcConfig config(TestHost host, Random random) {
        return host.config()
                .spillDirectory(spill.toString())
                .batchSize(1 + random.nextInt(40))
                .build();
    }

    private Compactor compactor(TestHost host, ObjectStore store, Random random) {
        CdcConfig config = config(host, random).withDefaults().validate();
        CompactionConfigBuilder builder = CompactionConfig.builder().schemaId(RandomEntities.SCHEMA);
        CompactionConfig compaction = builder.targetBaseSizeMb(1)
                .dirtyRatioPct(List.of(1, 20, 100).get(random.nextInt(3)))
                .maxRetries(1)
                .baseBackoff(Duration.ofMillis(1))
                .build()
                .withDefaults();
        return new Compactor(
                config,
                compaction,
                CompactionTarget.of(config, compaction, store).ports(new DuckMerger(config)),
                CdcListener.NONE,
                Clock.systemUTC());
    }

    /** Every sweep is later than the one before, so that some things have had their grace and some have not. */
    private void sweep(TestHost host, ObjectStore store, Random random) {
        clockAhead = clockAhead.plusMinutes(random.nextInt(20));
        ManifestStoreOptions options = ManifestStoreOptions.builder()
                .maxRetries(1)
                .baseBackoff(Duration.ofMillis(1))
                .build();
        ManifestStore manifests = new ManifestStore(store, manifestConfig(host), options);
        Clock clock = Clock.offset(Clock.systemUTC(), clockAhead);
        new Sweeper(store, manifests, host.config().build().s3Prefix(), SweepOptions.DEFAULTS, clock)
                .sweep(RandomEntities.SCHEMA);
    }

    private static ManifestConfig manifestConfig(TestHost host) {
        return ManifestConfig.of(host.config().build().withDefaults()).orElseThrow();
    }

    private static void assertEveryListedFileIsThere(TestHost host, String name) {
        Manifest manifest = new ManifestStore(host.store(), manifestConfig(host), ManifestStoreOptions.DEFAULTS)
                .load(RandomEntities.SCHEMA)
                .manifest();
        List<String> there = new ArrayList<>(host.dataKeys());
        assertThat(there)
                .as(name)
                .containsAll(manifest.entries().stream().map(e -> e.key()).toList());
    }
}
