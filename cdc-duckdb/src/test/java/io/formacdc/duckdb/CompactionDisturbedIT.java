package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaCompactionException;
import io.formacdc.manifest.CompactionLoop;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.RetiredFile;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Compactions between which flushes, other compactions, readers, failures and interrupts come. */
class CompactionDisturbedIT extends CompactedLake {
    @Test
    void aFlushThatLandsDuringACompactionSurvivesIt() throws SQLException {
        entities.insertMany(1_000);
        flush();
        AtomicInteger flushes = new AtomicInteger();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().startsWith("putIf") && flushes.incrementAndGet() == 1) {
                    unchecked(() -> {
                        entities.update(host.connection, entities.id(1), Entities.FIRST_VERSION + 10_000);
                        entities.delete(host.connection, entities.id(2), Entities.FIRST_VERSION + 10_000);
                    });
                    flush();
                }
            }
        });

        SchemaCompaction done =
                compactor(store, compaction()).runOnce().schemas().get(0);

        assertThat(done.outcome()).isEqualTo(Outcome.COMPACTED);
        assertThat(store.requests().stream().filter(r -> r.name().equals("download")))
                .as("no second merge")
                .hasSize(1);
        assertThat(manifest().base()).hasSize(1);
        assertThat(manifest().delta()).hasSize(1);
        entities.assertLakeEqualsPostgres(config());
        compact();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void ofTwoCompactionsOneComesFirstAndTheOtherLeavesNothing() throws SQLException {
        entities.insertMany(1_000);
        flush();
        AtomicInteger saves = new AtomicInteger();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void before(WatchedStore.Request request) {
                if (request.name().startsWith("putIf") && saves.incrementAndGet() == 1) {
                    compact();
                }
            }
        });

        SchemaCompaction done =
                compactor(store, compaction()).runOnce().schemas().get(0);

        assertThat(done.outcome()).isEqualTo(Outcome.OVERTAKEN);
        assertNoOrphans();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void aReaderThatResolvedItsListBeforeStillReadsEveryFile() throws SQLException {
        entities.insertMany(1_000);
        flush();
        List<String> resolved = keys(manifest().entries());
        compact();

        assertThat(manifest().retired().stream().map(RetiredFile::key)).containsExactlyElementsOf(resolved);
        sweeper(Clock.systemUTC()).sweep(SCHEMA);
        assertThat(host.dataKeys()).containsAll(resolved);

        sweeper(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(16))).sweep(SCHEMA);

        assertThat(host.dataKeys()).doesNotContainAnyElementsOf(resolved);
        assertThat(manifest().retired()).isEmpty();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void flushesSucceedUnderAStormOfCompactions() throws Exception {
        entities.insertMany(2_000);
        flush();
        Compactor compactor = compactor(host.store(), compaction());
        try (CompactionLoop loop = CompactionLoop.start(compactor, Duration.ofMillis(1))) {
            for (int i = 0; i < 25; i++) {
                changeSome(200);
                flush();
            }
        }
        entities.assertLakeEqualsPostgres(config());
        compact();
        assertInShape();
        entities.assertLakeEqualsPostgres(config());
    }

    @Test
    void whateverRequestFailsTheLakeIsWholeAndTheNextRunFinishes() throws Exception {
        entities.insertMany(2_000);
        flush();
        compact();
        changeSome(500);
        flush();
        changeSome(3);
        flush();
        LakeCopy lake = LakeCopy.of(host);
        WatchedStore counting = new WatchedStore(host.store(), new WatchedStore.Watcher() {});
        compactor(counting, compaction()).runOnce();
        List<WatchedStore.Request> requests = counting.requests();
        assertThat(requests).hasSizeGreaterThan(6);
        int cases = 0;
        for (WatchedStore.Request request : requests) {
            for (boolean before : new boolean[] {true, false}) {
                lake.restore();
                WatchedStore store = new WatchedStore(host.store(), WatchedStore.failing(request.number(), before));
                String name = request + (before ? " before" : " after");

                runAndIgnoreFailure(store);

                entities.assertLakeEqualsPostgres(config());
                compact();
                assertThat(manifest().delta()).as(name).isEmpty();
                assertInShape();
                entities.assertLakeEqualsPostgres(config());
                cases++;
            }
        }
        System.out.println(cases + " failing requests of a compaction");
    }

    private void runAndIgnoreFailure(ObjectStore store) {
        try {
            compactor(store, compaction()).runOnce();
        } catch (SchemaCompactionException e) {
            assertThat(e).hasMessageContaining("injected");
        }
    }

    @Test
    void anInterruptEndsACompactionAndListsNothing() throws Exception {
        entities.insertMany(60_000);
        flush();
        Manifest before = manifest();
        Thread caller = Thread.currentThread();
        WatchedStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void after(WatchedStore.Request request) {
                if (request.name().equals("download")) {
                    caller.interrupt();
                }
            }
        });

        assertThatThrownBy(() -> compactor(store, compaction()).runOnce()).isInstanceOf(CdcInterruptedException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(manifest()).isEqualTo(before);
    }

    private void assertNoOrphans() {
        Manifest manifest = manifest();
        assertThat(host.dataKeys()).allMatch(key -> manifest.lists(key) || manifest.retires(key));
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void unchecked(Action action) {
        try {
            action.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
