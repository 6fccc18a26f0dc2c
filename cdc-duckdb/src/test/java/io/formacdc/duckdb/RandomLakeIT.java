package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.duckdb.RandomEntities.Change;
import io.formacdc.manifest.BaseExport;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import io.formacdc.s3.DirectoryObjectStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A lake that lives: writers change entities, and exports, flushes, compactions and sweeps come in any order, some of them
 * dying at any request to the store. After every single step, what a reader sees is what PostgreSQL holds, value by value,
 * and every listed file is there.
 */
class RandomLakeIT {
    private static final int STEPS = 800;
    private static final int MOST_ENTITIES = 60;

    private enum Step {
        CREATE(2),
        UPDATE(5),
        DELETE(3),
        RECREATE(3),
        FLUSH(4),
        COMPACT(4),
        SWEEP(2),
        EXPORT(1),
        FLUSH_DIES(2),
        COMPACTION_DIES(3),
        SWEEP_DIES(2),
        EXPORT_DIES(1);

        private final int weight;

        Step(int weight) {
            this.weight = weight;
        }
    }

    private static final WatchedStore.Watcher NOBODY = new WatchedStore.Watcher() {};

    @TempDir
    Path spill;

    @TempDir
    Path copies;

    @TempDir
    Path bucket;

    private final Map<Step, Integer> done = new EnumMap<>(Step.class);
    private final Map<Step, Integer> failed = new EnumMap<>(Step.class);
    private Duration clockAhead = Duration.ZERO;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void afterEveryStepReadersSeeWhatPostgresHolds(long seed) throws Exception {
        Random random = new Random(seed);
        List<Step> steps = Arrays.stream(Step.values())
                .flatMap(step -> Collections.nCopies(step.weight, step).stream())
                .toList();
        long begin = System.nanoTime();
        try (TestHost host = new TestHost();
                Connection writer = host.postgres.dataSource().getConnection();
                StayingReader reader = new StayingReader(host, store(host, seed), copies)) {
            RandomEntities entities = new RandomEntities(writer, seed);
            entities.churn(30, MOST_ENTITIES);
            Lakeside lakeside = new Lakeside(host, store(host, seed), random);
            for (int i = 1; i <= STEPS; i++) {
                Step step = steps.get(random.nextInt(steps.size()));
                String name = "seed " + seed + ", step " + i + ", " + step;
                take(step, lakeside, entities, name);
                done.merge(step, 1, Integer::sum);
                assertThat(reader.read(name)).as(name).isEqualTo(entities.inPostgres());
            }
        }
        long millis = (System.nanoTime() - begin) / 1_000_000;
        System.out.println(
                "seed " + seed + ": " + STEPS + " steps in " + millis + " ms: " + done + ", of which died " + failed);
        assertThat(done).hasSize(Step.values().length);
    }

    /** One lake lies in a bucket; the others in a folder, which is cheaper. */
    private ObjectStore store(TestHost host, long seed) {
        return seed == 1 ? host.store() : new DirectoryObjectStore(bucket);
    }

    private void take(Step step, Lakeside lakeside, RandomEntities entities, String name) throws Exception {
        switch (step) {
            case CREATE -> change(Change.CREATE, lakeside.random, entities);
            case UPDATE -> change(Change.UPDATE, lakeside.random, entities);
            case DELETE -> change(Change.DELETE, lakeside.random, entities);
            case RECREATE -> change(Change.RECREATE, lakeside.random, entities);
            case FLUSH -> lakeside.flush(point -> {});
            case COMPACT -> lakeside.compact(NOBODY);
            case SWEEP -> lakeside.sweep(NOBODY);
            case EXPORT -> lakeside.export(NOBODY);
            case FLUSH_DIES -> dies(step, name, () -> lakeside.flush(dying(lakeside.random.nextInt(40))));
            case COMPACTION_DIES -> dies(step, name, () -> lakeside.compact(dying(lakeside.random, 12)));
            case SWEEP_DIES -> dies(step, name, () -> lakeside.sweep(dying(lakeside.random, 5)));
            case EXPORT_DIES -> dies(step, name, () -> lakeside.export(dying(lakeside.random, 12)));
        }
    }

    private static void change(Change change, Random random, RandomEntities entities) throws Exception {
        int rows = 1 + random.nextInt(change == Change.UPDATE ? 12 : 4);
        for (int i = 0; i < rows; i++) {
            entities.change(change, MOST_ENTITIES);
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private void dies(Step step, String name, Work work) throws Exception {
        try {
            work.run();
        } catch (CdcException e) {
            assertThat(String.valueOf(e.getMessage())).as(name).containsAnyOf("dead", "injected");
            failed.merge(step, 1, Integer::sum);
        }
    }

    /** From some request on, every request fails, as for a process that is gone: nothing can be cleaned up. */
    private static WatchedStore.Watcher dying(Random random, int mostRequests) {
        int last = 1 + random.nextInt(mostRequests);
        boolean before = random.nextBoolean();
        return new WatchedStore.Watcher() {
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
        };
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

    /** What works at the files. Its stores are the same ones all the time, so that they are probed once. */
    private final class Lakeside {
        private final TestHost host;
        private final Random random;
        private final WatchedStore store;
        private final SteppedFlush flush;

        private Lakeside(TestHost host, ObjectStore objects, Random random) {
            this.host = host;
            this.random = random;
            this.store = new WatchedStore(objects, NOBODY);
            this.flush = new SteppedFlush(objects);
        }

        private CdcConfig config() {
            return host.config()
                    .spillDirectory(spill.toString())
                    .duckThreads(1)
                    .batchSize(1 + random.nextInt(40))
                    .build()
                    .withDefaults()
                    .validate();
        }

        private ManifestConfig manifestConfig() {
            return ManifestConfig.of(host.config().build().withDefaults()).orElseThrow();
        }

        private void flush(SteppedFlush.Step step) {
            flush.run(config(), RandomEntities.REGISTRY, CdcListener.NONE, false, step);
        }

        private void compact(WatchedStore.Watcher watcher) {
            CdcConfig config = config();
            CompactionConfigBuilder builder = CompactionConfig.builder().schemaId(RandomEntities.SCHEMA);
            CompactionConfig compaction = builder.targetBaseSizeMb(1)
                    .dirtyRatioPct(List.of(1, 20, 100).get(random.nextInt(3)))
                    .maxRetries(1)
                    .baseBackoff(Duration.ofMillis(1))
                    .build()
                    .withDefaults();
            Compactor.Ports ports =
                    CompactionTarget.of(config, compaction, store.with(watcher)).ports(new DuckMerger(config));
            new Compactor(config, compaction, ports, CdcListener.NONE, Clock.systemUTC()).runOnce();
        }

        /** Every sweep is later than the one before, so that some things have had their grace and some have not. */
        private void sweep(WatchedStore.Watcher watcher) {
            clockAhead = clockAhead.plusMinutes(random.nextInt(20));
            Clock clock = Clock.offset(Clock.systemUTC(), clockAhead);
            String prefix = host.config().build().s3Prefix();
            new Sweeper(store.with(watcher), manifests(), prefix, SweepOptions.DEFAULTS, clock)
                    .sweep(RandomEntities.SCHEMA);
        }

        private void export(WatchedStore.Watcher watcher) {
            CdcConfig config = config();
            TrackedConnections connections = new TrackedConnections(host.postgres.dataSource());
            try (InterruptWatch watch = InterruptWatch.open();
                    PgExporter exporter = new PgExporter(config, connections, watch)) {
                BaseExport.Ports ports = new BaseExport.Ports(
                        new JdbcChangeLogStore(connections, config.changeLogTable()),
                        exporter,
                        store.with(watcher),
                        manifests());
                new BaseExport(config, ports, RandomEntities.REGISTRY, CdcListener.NONE, Clock.systemUTC())
                        .run(RandomEntities.SCHEMA, BaseExportOptions.DEFAULTS.replacingDeltas());
            }
        }

        private ManifestStore manifests() {
            ManifestStoreOptions options = ManifestStoreOptions.builder()
                    .maxRetries(1)
                    .baseBackoff(Duration.ofMillis(1))
                    .build();
            return new ManifestStore(store, manifestConfig(), options);
        }
    }
}
