package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionConfigBuilder;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.SchemaCompactionException;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a compaction leaves behind that fails in the middle: what is listed, always, and nothing else where that is known. */
@ExtendWith(NoSecretInLogs.class)
class CompactionFaultIT {
    @TempDir
    Path folder;

    private TestHost host;
    private BrokenLake lake;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void aSecondRoundThatFailsTakesNothingFromTheFirst() throws SQLException {
        lake.entities.insertMany(60_000);
        flushAll();
        compactor(host.store()).runOnce();
        assertThat(lake.manifest().base()).hasSizeGreaterThan(1);
        leaveEveryTenth();
        flushAll();
        boolean[] hasSaved = {false};
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (hasSaved[0] && request.name().equals("download")) {
                    throw new ObjectStoreException("injected");
                }
            }

            @Override
            public void after(WatchedStore.Request request) {
                hasSaved[0] |= request.name().startsWith("putIf");
            }
        });

        SchemaCompaction done = failed(store);

        assertThat(done.outcome()).isEqualTo(Outcome.FAILED);
        assertThat(hasSaved[0]).isTrue();
        assertThat(host.dataKeys()).containsAll(listedKeys());
        lake.entities.assertLakeEqualsPostgres(lake.config);

        compactor(host.store()).runOnce();
        assertThat(lake.manifest().base()).as("after another run").hasSize(1);
        lake.entities.assertLakeEqualsPostgres(lake.config);
    }

    /** Whether it was listed cannot be told, so nothing may be deleted, although the store would do it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whereTheSaveStaysUnknownEveryObjectStays(boolean isSaved) throws SQLException {
        lake.entities.insertMany(50);
        lake.flush();
        boolean[] isCutOff = {false};
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                isCutOff[0] |= !isSaved && request.name().startsWith("putIf");
                fail(request);
            }

            @Override
            public void after(WatchedStore.Request request) {
                isCutOff[0] |= request.name().startsWith("putIf");
                fail(request);
            }

            private void fail(WatchedStore.Request request) {
                if (isCutOff[0] && !request.name().equals("delete")) {
                    throw new ObjectStoreException("injected");
                }
            }
        });

        assertThat(failed(store).outcome()).isEqualTo(Outcome.UNKNOWN);

        assertThat(host.dataKeys()).anyMatch(key -> key.contains("/base-")).containsAll(listedKeys());
        assertThat(lake.manifest().base()).hasSize(isSaved ? 1 : 0);
        lake.entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void aSaveIsTriedAgainAsOftenAsTheCompactionSays() throws SQLException {
        lake.entities.insertMany(50);
        lake.flush();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().startsWith("putIf")) {
                    throw new ObjectStoreException("injected");
                }
            }
        });

        assertThat(failed(store).outcome()).isEqualTo(Outcome.UNKNOWN);

        assertThat(store.requests())
                .filteredOn(request -> request.name().startsWith("putIf"))
                .hasSize(2);
    }

    @Test
    void whatIsKnownNotToBeListedIsDeleted() throws SQLException {
        lake.entities.insertMany(50);
        lake.flush();
        List<ObjectInfo> before = host.objects();
        WatchedStore store = afterEachPut(key -> {
            throw new ObjectStoreException("injected");
        });

        assertThat(failed(store).outcome()).isEqualTo(Outcome.FAILED);

        assertThat(host.objects()).isEqualTo(before);
    }

    @Test
    void anObjectThatTheStoreDidNotKeepWholeIsNotListed() throws SQLException {
        lake.entities.insertMany(50);
        lake.flush();
        List<ObjectInfo> before = host.objects();
        WatchedStore store = afterEachPut(this::cutOff);

        assertThat(failed(store).error()).hasMessageContaining("the store holds");

        assertThat(host.objects()).isEqualTo(before);
    }

    @Test
    void aManifestInShapeIsNotLookedIntoAgain() throws SQLException {
        lake.entities.insertMany(200);
        lake.flush();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {});
        Compactor compactor = compactor(store);
        compactor.runOnce();
        lake.entities.update(host.connection, lake.entities.id(1), Entities.FIRST_VERSION + 1000);
        lake.flush();
        assertThat(compactor.runOnce().schemas().get(0).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
        store.with(new WatchedStore.Watcher() {});

        assertThat(compactor.runOnce().schemas().get(0).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);

        assertThat(store.requests()).extracting(WatchedStore.Request::name).containsExactly("get");
        lake.entities.update(host.connection, lake.entities.id(1), Entities.FIRST_VERSION + 2000);
        lake.flush();
        assertThat(compactor.runOnce().schemas().get(0).outcome())
                .as("two deltas now")
                .isEqualTo(Outcome.COMPACTED);
    }

    private WatchedStore afterEachPut(Consumer<String> then) {
        return new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void after(WatchedStore.Request request) {
                if (request.name().equals("put")) {
                    then.accept(request.key());
                }
            }
        });
    }

    private void cutOff(String key) {
        byte[] content = host.store().get(key).content();
        try {
            lake.write(key, Arrays.copyOf(content, content.length - 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void flushAll() {
        Cdc.runOnce(
                lake.config.toBuilder()
                        .batchSize(100_000)
                        .maxBatchBytes(1L << 30)
                        .build(),
                host.client,
                false,
                Entities.REGISTRY);
    }

    /** Deletes nine entities of ten, for good. */
    private void leaveEveryTenth() throws SQLException {
        String gone = "SELECT ltbase_row_id FROM entity_main WHERE bigint_01 % 10 <> 0";
        host.sql("INSERT INTO change_log (schema_id, row_id, changed_at, deleted_at)"
                + " SELECT 7, id, 2000000000000, 2000000000000 FROM (" + gone + ") g(id)");
        host.sql("DELETE FROM eav_data WHERE row_id IN (" + gone + ")");
        host.sql("DELETE FROM entity_main WHERE bigint_01 % 10 <> 0");
    }

    private List<String> listedKeys() {
        Manifest manifest = lake.manifest();
        return manifest.entries().stream().map(ManifestEntry::key).toList();
    }

    private SchemaCompaction failed(WatchedStore store) {
        return catchThrowableOfType(
                        SchemaCompactionException.class, () -> compactor(store).runOnce())
                .report()
                .schemas()
                .get(0);
    }

    private Compactor compactor(ObjectStore store) {
        CompactionConfigBuilder builder =
                CompactionConfig.builder().schemaId(BrokenLake.SCHEMA).maxParallelFiles(1);
        CompactionConfig compaction = builder.targetBaseSizeMb(1)
                .maxRetries(1)
                .baseBackoff(Duration.ofMillis(1))
                .build()
                .withDefaults();
        return new Compactor(
                lake.config,
                compaction,
                CompactionTarget.of(lake.config, compaction, store).ports(new DuckMerger(lake.config)),
                CdcListener.NONE,
                Clock.systemUTC());
    }
}
