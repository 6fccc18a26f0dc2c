package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.duckdb.RepairReport.Outcome;
import io.formacdc.manifest.OrphanSighting;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of a delta that a sweep has sighted are repaired as long as the sweep has not come back. */
final class SightedRepairIT {
    @TempDir
    private Path folder;

    private TestHost host;
    private BrokenLake lake;
    private Entities entities;
    private String lost;

    @BeforeEach
    void sight() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        entities = lake.entities.insertMany(20);
        lost = lake.flush().get(0);
        lake.unlist(lost);
        lake.change(
                m -> m.toBuilder().orphans(List.of(OrphanSighting.of(lost, 1))).build());
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void rowsOfASightedDeltaAreListedUnderANewKey() throws SQLException {
        assertThat(check(Depth.LISTING)).extracting(Finding::kind).containsExactly(Kind.SIGHTED);
        assertThat(check(Depth.CONTENTS)).singleElement().satisfies(finding -> {
            assertThat(finding.kind()).isEqualTo(Kind.UNCOVERED_ROWS);
            assertThat(finding.cure()).contains("a repair lists them, before a sweep");
        });

        RepairReport report = Cdc.repair(lake.config, host.client, 7);

        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(host.listedKeys(7)).hasSize(2).doesNotContain(lost);
        entities.assertLakeEqualsPostgres(lake.config);
        assertThat(check(Depth.CONTENTS)).extracting(Finding::kind).containsExactly(Kind.SIGHTED);
        assertThat(Cdc.repair(lake.config, host.client, 7).outcome()).isEqualTo(Outcome.NOTHING_TO_REPAIR);
    }

    @Test
    void aSweepThatDeletesTheObjectAfterItWasReadCostsNoRow() throws SQLException {
        HookedStore store = new HookedStore(host.store());
        AtomicInteger puts = new AtomicInteger();
        store.beforePut = () -> {
            puts.incrementAndGet();
            sweepDeletes();
        };

        RepairReport report = repair(store);

        assertThat(report.outcome()).isEqualTo(Outcome.REPAIRED);
        assertThat(puts).hasValue(1);
        assertThat(lake.manifest().orphans()).isEmpty();
        entities.assertLakeEqualsPostgres(lake.config);
    }

    @Test
    void aSweepThatDeletesTheObjectBeforeItWasReadIsToldAndNothingIsListed() {
        HookedStore store = new HookedStore(host.store());
        store.beforeDownload = key -> {
            if (key.equals(lost)) {
                host.store().delete(lost);
            }
        };
        List<ObjectInfo> others = host.objects().stream()
                .filter(object -> !object.key().equals(lost))
                .toList();

        RepairReport report = repair(store);

        assertThat(report.outcome()).isEqualTo(Outcome.REFUSED);
        assertThat(report.beyondRepair()).singleElement().satisfies(finding -> {
            assertThat(finding.key()).isEqualTo(lost);
            assertThat(finding.kind()).isEqualTo(Kind.SWEPT);
        });
        assertThat(report.explain()).contains("a sweep deleted it before its rows were looked at");
        assertThat(host.objects()).isEqualTo(others);
    }

    private void sweepDeletes() {
        host.store().delete(lost);
        lake.change(m -> m.toBuilder().orphans(List.of()).build());
    }

    private RepairReport repair(HookedStore store) {
        try (Reconciler reconciler =
                new Reconciler(lake.config.validate(), PgDataSources.of(lake.config), store, null)) {
            return reconciler.repair(7);
        }
    }

    private List<Finding> check(Depth depth) {
        return Cdc.reconcile(lake.config, host.client, 7, depth).findings();
    }
}
