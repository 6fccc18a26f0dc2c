package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.DelegatingSnapshot;
import io.formacdc.core.FlushReport;
import io.formacdc.core.Flusher;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.SnapshotExporter;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Flushes of one host on real parts, with something done, or failed, before and after each effect. SQL is caught below
 * the library, at JDBC: a statement fails because its connection breaks, before it was sent or after it was executed.
 */
final class SteppedFlush {
    /** What a pass does, by the SQL it sends or the port it calls. */
    enum Effect {
        DIRTY_SCHEMAS,
        REGISTRY,
        LOCK,
        MANIFEST_GET,
        STATS,
        SNAPSHOT,
        CATALOG,
        LAST_ROW,
        SELECT,
        EXPORT,
        PUT,
        HEAD,
        DELETE,
        MANIFEST_PUT,
        MARK,
        UNLOCK,
        OTHER_SQL
    }

    enum When {
        BEFORE,
        AFTER
    }

    /** @param occurrence how often the pass came to this effect, from 1 */
    record Point(Effect effect, int occurrence, When when) {}

    /** Called at every point. What it throws fails the effect; {@link #fail()} does. */
    @FunctionalInterface
    interface Step {
        void at(Point point) throws Exception;
    }

    static final class InjectedException extends RuntimeException {
        private InjectedException() {
            super("injected");
        }
    }

    private final ObjectStore store;
    private final Map<Effect, Integer> occurrences = new EnumMap<>(Effect.class);
    private final List<Point> trace = new ArrayList<>();
    private Clock clock = Clock.systemUTC();
    private Step step = point -> {};

    SteppedFlush(TestHost host) {
        this(host.store());
    }

    /** @param objects in the place of the bucket of the configuration */
    SteppedFlush(ObjectStore objects) {
        this.store = new SteppedStore(objects);
    }

    /** Has the flush tell this time. */
    SteppedFlush at(Clock otherClock) {
        this.clock = otherClock;
        return this;
    }

    /** Makes the effect fail at whose point this is called. */
    static void fail() {
        throw new InjectedException();
    }

    /** Points that the last run came to, in order. */
    synchronized List<Point> trace() {
        return List.copyOf(trace);
    }

    FlushReport run(CdcConfig config, Step newStep) {
        return run(config, Entities.REGISTRY, CdcListener.NONE, false, newStep);
    }

    FlushReport run(
            CdcConfig config, @Nullable SchemaRegistry registry, CdcListener listener, boolean dryRun, Step newStep) {
        occurrences.clear();
        trace.clear();
        step = newStep;
        CdcConfig complete = config.withDefaults().validate();
        TrackedConnections connections =
                new TrackedConnections(new SteppedSql(this).around(PgDataSources.of(complete)));
        ManifestStoreOptions options = ManifestStoreOptions.of(complete).toBuilder()
                .baseBackoff(Duration.ofMillis(1))
                .build();
        SchemaRegistry steppedRegistry = registry == null
                ? null
                : id -> stepped(Effect.REGISTRY, () -> registry.findAttributes(id), IllegalStateException::new);
        try (InterruptWatch watch = InterruptWatch.open();
                InterruptWatch.Guard guard = watch.guard(null, connections::cancel);
                PgExporter exporter = new PgExporter(complete, connections, watch)) {
            Flusher.Ports ports = new Flusher.Ports(
                    new JdbcChangeLogStore(connections, complete.changeLogTable()),
                    new SteppedExporter(exporter),
                    store,
                    new ManifestFileLog(
                            new ManifestStore(store, ManifestConfig.of(complete).orElseThrow(), options)));
            return new Flusher(complete, ports, steppedRegistry, listener, clock).run(dryRun);
        } finally {
            step = point -> {};
        }
    }

    synchronized int arrive(Effect effect) {
        return occurrences.merge(effect, 1, Integer::sum);
    }

    void come(Effect effect, int occurrence, When when) throws Exception {
        Point point = new Point(effect, occurrence, when);
        synchronized (this) {
            trace.add(point);
        }
        step.at(point);
    }

    private interface Failure<E extends Exception> {
        E of(String message, Throwable cause);
    }

    private <T, E extends Exception> T stepped(Effect effect, Callable<T> call, Failure<E> failure) throws E {
        int occurrence = arrive(effect);
        try {
            come(effect, occurrence, When.BEFORE);
            T result = call.call();
            try {
                come(effect, occurrence, When.AFTER);
            } catch (InjectedException e) {
                if (result instanceof AutoCloseable lost) {
                    lost.close();
                }
                throw e;
            }
            return result;
        } catch (InjectedException e) {
            throw failure.of("injected failure of " + effect + " " + occurrence, e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private final class SteppedExporter implements SnapshotExporter {
        private final SnapshotExporter exporter;

        private SteppedExporter(SnapshotExporter exporter) {
            this.exporter = exporter;
        }

        @Override
        public Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
            return new DelegatingSnapshot(exporter.openSnapshot(schemaId, attributes)) {
                @Override
                public Exported export(Chunk chunk, LongConsumer progress) {
                    return stepped(Effect.EXPORT, () -> super.export(chunk, progress), CdcException::new);
                }
            };
        }
    }

    private final class SteppedStore implements ObjectStore {
        private final ObjectStore real;

        private SteppedStore(ObjectStore real) {
            this.real = real;
        }

        private <T> T request(Effect effect, String key, Callable<T> call) {
            try {
                return key.contains(".probe-") ? call.call() : stepped(effect, call, ObjectStoreException::new);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public StoredObject get(String key) {
            return request(Effect.MANIFEST_GET, key, () -> real.get(key));
        }

        @Override
        public void download(String key, Path file) {
            throw new UnsupportedOperationException("a flush downloads nothing");
        }

        @Override
        public String put(String key, Path file) {
            return request(Effect.PUT, key, () -> real.put(key, file));
        }

        @Override
        public String putIfAbsent(String key, byte[] content) {
            return request(Effect.MANIFEST_PUT, key, () -> real.putIfAbsent(key, content));
        }

        @Override
        public String putIfMatch(String key, byte[] content, String etag) {
            return request(Effect.MANIFEST_PUT, key, () -> real.putIfMatch(key, content, etag));
        }

        @Override
        public void copy(String sourceKey, String targetKey) {
            throw new UnsupportedOperationException("a flush copies nothing");
        }

        @Override
        public void delete(String key) {
            request(Effect.DELETE, key, () -> {
                real.delete(key);
                return key;
            });
        }

        @Override
        public ObjectInfo head(String key) {
            return request(Effect.HEAD, key, () -> real.head(key));
        }

        @Override
        public Stream<ObjectInfo> list(String prefix) {
            throw new UnsupportedOperationException("a flush lists nothing");
        }
    }
}
