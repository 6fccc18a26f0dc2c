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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A lake that lives: writers change entities, and exports, flushes, compactions and sweeps come in any order, some of them
 * dying at any request to the store. After every single step, what a reader sees is what PostgreSQL holds, value by value,
 * and every listed file is there. {@code -Dsteps=800} for lives twice as long.
 */
class RandomLakeIT {
    private static final int LAKES = 4;
    private static final int STEPS = Integer.getInteger("steps", 400);
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

    private static final List<Step> BY_WEIGHT = Arrays.stream(Step.values())
            .flatMap(step -> Collections.nCopies(step.weight, step).stream())
            .toList();

    private static final WatchedStore.Watcher NOBODY = new WatchedStore.Watcher() {};

    @TempDir
    Path folder;

    /** Two at once, because each of them keeps one core busy. */
    @Test
    void afterEveryStepReadersSeeWhatPostgresHolds() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<?>> lives = new ArrayList<>();
            for (long seed = 1; seed <= LAKES; seed++) {
                lives.add(threads.submit(live(seed)));
            }
            for (Future<?> life : lives) {
                life.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private Callable<Void> live(long seed) {
        return () -> {
            try (TestHost host = new TestHost();
                    Connection writer = host.postgres.dataSource().getConnection()) {
                // One lake lies in a bucket; the others in folders, which are cheaper.
                ObjectStore objects = seed == 1 ? host.store() : new DirectoryObjectStore(newFolder("bucket-" + seed));
                try (StayingReader reader = new StayingReader(host, objects, newFolder("copies-" + seed))) {
                    new Life(seed, host, objects, new RandomEntities(writer, seed)).run(reader);
                }
            }
            return null;
        };
    }

    private Path newFolder(String name) throws IOException {
        return Files.createDirectory(folder.resolve(name));
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

    /** One lake. Its stores are the same ones all the time, so that they are probed once. Confined to a thread. */
    private final class Life {
        private final long seed;
        private final Random random;
        private final TestHost host;
        private final WatchedStore store;
        private final SteppedFlush flush;
        private final RandomEntities entities;
        private final Map<Step, Integer> done = new EnumMap<>(Step.class);
        private final Map<Step, Integer> died = new EnumMap<>(Step.class);
        private Duration clockAhead = Duration.ZERO;

        private Life(long seed, TestHost host, ObjectStore objects, RandomEntities entities) {
            this.seed = seed;
            this.random = new Random(seed);
            this.host = host;
            this.store = new WatchedStore(objects, NOBODY);
            this.flush = new SteppedFlush(objects);
            this.entities = entities;
        }

        private void run(StayingReader reader) throws Exception {
            long begin = System.nanoTime();
            entities.churn(30, MOST_ENTITIES);
            for (int i = 1; i <= STEPS; i++) {
                Step step = BY_WEIGHT.get(random.nextInt(BY_WEIGHT.size()));
                String name = "seed " + seed + ", step " + i + ", " + step;
                take(step, name);
                done.merge(step, 1, Integer::sum);
                assertThat(reader.read(name)).as(name).isEqualTo(entities.inPostgres());
            }
            System.out.printf(
                    "RandomLakeIT: seed %d: %d steps in %d ms: %s, of which died %s%n",
                    seed, STEPS, (System.nanoTime() - begin) / 1_000_000, done, died);
            assertThat(done).hasSize(Step.values().length);
            assertThat(died).hasSize(4);
        }

        private void take(Step step, String name) throws Exception {
            switch (step) {
                case CREATE -> change(Change.CREATE, 4);
                case UPDATE -> change(Change.UPDATE, 12);
                case DELETE -> change(Change.DELETE, 4);
                case RECREATE -> change(Change.RECREATE, 4);
                case FLUSH -> flush(point -> {});
                case COMPACT -> compact(NOBODY);
                case SWEEP -> sweep(NOBODY);
                case EXPORT -> export(NOBODY);
                case FLUSH_DIES -> dies(step, name, () -> flush(dying(random.nextInt(40))));
                case COMPACTION_DIES -> dies(step, name, () -> compact(dying(random, 12)));
                case SWEEP_DIES -> dies(step, name, () -> sweep(dying(random, 5)));
                case EXPORT_DIES -> dies(step, name, () -> export(dying(random, 12)));
            }
        }

        private void change(Change change, int most) throws SQLException {
            int rows = 1 + random.nextInt(most);
            for (int i = 0; i < rows; i++) {
                entities.change(change, MOST_ENTITIES);
            }
        }

        private void dies(Step step, String name, Runnable work) {
            try {
                work.run();
            } catch (CdcException e) {
                assertThat(String.valueOf(e.getMessage())).as(name).containsAnyOf("dead", "injected");
                died.merge(step, 1, Integer::sum);
            }
        }

        private CdcConfig config() {
            return host.config()
                    .spillDirectory(folder.toString())
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
