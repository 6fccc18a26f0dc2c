package io.formacdc.manifest;

import static io.formacdc.manifest.Entries.base;
import static io.formacdc.manifest.Entries.baseKey;
import static io.formacdc.manifest.Entries.consolidatedKey;
import static io.formacdc.manifest.Entries.delta;
import static io.formacdc.manifest.Entries.emptyBase;
import static io.formacdc.manifest.Entries.entry;
import static io.formacdc.manifest.Entries.manifest;
import static io.formacdc.manifest.Entries.rowId;
import static io.formacdc.manifest.Manifests.flushKey;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CompactionConfig;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.core.RowIdInterval;
import io.formacdc.manifest.CompactionPlan.Action;
import io.formacdc.manifest.CompactionPlan.BaseRewrite;
import io.formacdc.manifest.CompactionPlan.Consolidation;
import io.formacdc.manifest.CompactionPlan.FileDecision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CompactionPlannerTest {
    private static final CompactionConfig CONFIG = CompactionConfig.builder()
            .targetBaseSizeMb(100)
            .maxDeltaSizeMb(16)
            .build()
            .withDefaults();
    private static final LooseRows NONE = new LooseRows(0, 0, Map.of());

    @Test
    void aBaseIsRewrittenWhenMoreThanTheRatioOfItsRowsIsDirty() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), base(2, 1001, 2000, 100, 1000), delta(1, 1, 101));

        CompactionPlan plan = plan(
                manifest,
                new LooseRows(50, 50, Map.of(flushKey(1), 50L)),
                new LooseRows(51, 51, Map.of(flushKey(1), 51L)),
                NONE);

        assertThat(plan.rewrites())
                .singleElement()
                .satisfies(r -> assertThat(r.baseKeys()).containsExactly(baseKey(2)))
                .satisfies(r -> assertThat(r.interval()).isEqualTo(new RowIdInterval(rowId(1000), rowId(2000))));
        assertThat(action(plan, baseKey(1))).isEqualTo(Action.KEEP);
        assertThat(action(plan, baseKey(2))).isEqualTo(Action.MERGE);
        assertThat(Objects.requireNonNull(plan.consolidation()).keys()).containsExactly(flushKey(1));
        assertThat(plan.consolidation().files()).isEqualTo(1);
    }

    @Test
    void theRatioIsTheConfiguredOne() {
        CompactionConfig patient = CONFIG.toBuilder().dirtyRatioPct(6).build();
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), delta(1, 1, 61));

        assertThat(plan(patient, manifest, rows(60, flushKey(1)), NONE).rewrites())
                .isEmpty();
        assertThat(plan(patient, manifest, rows(61, flushKey(1)), NONE).rewrites())
                .hasSize(1);
    }

    @Test
    void everyFileWithRowsInARewrittenPartIsTakenUp() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), delta(1, 15, 500), delta(2, 15, 1), delta(3, 15, 5));

        CompactionPlan plan = plan(
                manifest, new LooseRows(500, 500, Map.of(flushKey(1), 499L, flushKey(2), 1L)), rows(6, flushKey(3)));

        assertThat(action(plan, flushKey(1))).isEqualTo(Action.MERGE);
        assertThat(action(plan, flushKey(2))).isEqualTo(Action.MERGE);
    }

    @Test
    void whatIsBeyondEveryBaseBecomesABase() {
        CompactionPlan plan = plan(manifest(delta(1, 120, 10), delta(2, 140, 10)), rows(20, flushKey(1), flushKey(2)));

        assertThat(plan.rewrites()).singleElement().satisfies(r -> {
            assertThat(r.interval()).isEqualTo(RowIdInterval.ALL);
            assertThat(r.files()).isEqualTo(3);
            assertThat(r.predictedBytes()).isEqualTo(260_000_000);
        });
        assertThat(Objects.requireNonNull(plan.consolidation()).files()).isZero();
    }

    @Test
    void smallNeighboursBecomeOneFileWithoutAnyDelta() {
        CompactionPlan plan = plan(manifest(base(1, 1, 2, 30, 10), base(2, 3, 4, 30, 10)), NONE);

        assertThat(plan.rewrites())
                .containsExactly(
                        new BaseRewrite(RowIdInterval.ALL, List.of(baseKey(1), baseKey(2)), 1, 20, 60_000_000));
    }

    @Test
    void aFarTooLargeBaseIsSplit() {
        CompactionPlan plan = plan(manifest(base(1, 1, 2000, 430, 2000)), NONE, NONE);

        assertThat(plan.rewrites())
                .singleElement()
                .satisfies(r -> assertThat(r.files()).isEqualTo(4));
    }

    @Test
    void aBaseOfAnUnknownNumberOfRowsIsRewrittenWhenItIsTouched() {
        ManifestEntry unknown =
                base(1, 1, 1000, 100, 1000).toBuilder().rowCount(null).build();

        CompactionPlan touched = plan(manifest(unknown, delta(1, 1, 1)), rows(1, flushKey(1)), NONE);
        assertThat(touched.rewrites()).hasSize(1);
        assertThat(touched.explain()).contains("its number of rows is not known");

        assertThat(plan(manifest(unknown, delta(1, 1, 1)), NONE, rows(1, flushKey(1)))
                        .rewrites())
                .singleElement()
                .satisfies(r -> assertThat(r.baseKeys()).isEmpty())
                .satisfies(r -> assertThat(r.files()).as("however little it is").isEqualTo(1));
    }

    @Test
    void whatIsPredictedFollowsDeletionsAndNewRows() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), delta(1, 2, 200));

        assertThat(plan(manifest, new LooseRows(200, 150, Map.of(flushKey(1), 200L)), NONE)
                        .rewrites())
                .as("updates of rows that are there")
                .singleElement()
                .satisfies(r -> assertThat(r.predictedRows()).isEqualTo(950))
                .satisfies(r -> assertThat(r.predictedBytes()).isEqualTo(95_000_000));
        assertThat(plan(manifest, new LooseRows(3000, 0, Map.of(flushKey(1), 3000L)), NONE)
                        .rewrites())
                .as("tombstones of rows that are not there")
                .singleElement()
                .satisfies(r -> assertThat(r.predictedRows()).isZero())
                .satisfies(r -> assertThat(r.predictedBytes()).isZero());
    }

    @Test
    void aPromotedDeltaForcesTheRewriteOfWhatItOverlaps() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), entry("base", flushKey(1), 1, 50, 1, 1));

        assertThat(plan(manifest, rows(1, flushKey(1)), NONE).rewrites()).hasSize(1);
    }

    @Test
    void nothingIsRewrittenBesideFilesOfAnUnknownTier() {
        Manifest manifest = manifest(
                base(1, 1, 1000, 100, 1000), delta(1, 1, 900), entry("archive", "data/7/old.parquet", 1, 9, 1, 9));

        CompactionPlan plan = plan(manifest, rows(900, flushKey(1)), NONE);

        assertThat(plan.isEmpty()).isTrue();
        assertThat(plan.explain()).contains("archive").contains("unknown tiers");
    }

    @Test
    void nothingIsRewrittenBesideFilesUnderAnUnknownKey() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), delta(1, 1, 900)).toBuilder()
                .unknownKeys(Map.of("gamma", "[{\"path\": \"data/7/old.parquet\"}]"))
                .build();

        assertThat(plan(manifest, rows(900, flushKey(1)), NONE).isEmpty()).isTrue();
    }

    @Test
    void smallDeltasAreConsolidatedAndLargeOnesLeftAlone() {
        Manifest manifest = manifest(
                base(1, 1, 100_000, 100, 100_000),
                delta(3, 5, 10),
                delta(4, 9, 10),
                delta(1, 0.1, 10),
                delta(2, 0.3, 10));

        CompactionPlan plan = plan(manifest, rows(40, flushKey(1), flushKey(2), flushKey(3), flushKey(4)), NONE);

        assertThat(plan.rewrites()).isEmpty();
        assertThat(Objects.requireNonNull(plan.consolidation()).keys())
                .containsExactlyInAnyOrder(flushKey(1), flushKey(2));
        assertThat(action(plan, flushKey(3))).isEqualTo(Action.KEEP);
        assertThat(action(plan, flushKey(4))).isEqualTo(Action.KEEP);
    }

    @Test
    void deltasOfHalfTheLimitAreNotSmall() {
        Manifest manifest = manifest(base(1, 1, 100_000, 100, 100_000), delta(1, 8, 10), delta(2, 8, 10));

        assertThat(plan(manifest, rows(20, flushKey(1), flushKey(2)), NONE).isEmpty())
                .isTrue();
    }

    @Test
    void oneSmallDeltaJoinsWhatIsLeftOfARewrittenOne() {
        Manifest manifest =
                manifest(base(1, 1, 1000, 100, 1000), base(2, 1001, 2000, 100, 1000), delta(1, 12, 60), delta(2, 1, 5));

        CompactionPlan plan = plan(
                manifest, rows(51, flushKey(1)), new LooseRows(14, 14, Map.of(flushKey(1), 9L, flushKey(2), 5L)), NONE);

        assertThat(Objects.requireNonNull(plan.consolidation()).keys())
                .containsExactlyInAnyOrder(flushKey(1), flushKey(2));
        assertThat(action(plan, baseKey(2))).isEqualTo(Action.KEEP);
    }

    @Test
    void whatStaysInDeltasIsWrittenInFilesOfAtMostTheLimit() {
        ManifestEntry base = base(2, 11, 10_000, 100, 10_000);
        CompactionPlan more = plan(
                manifest(base(1, 1, 10, 100, 10), base, delta(1, 33, 101)),
                rows(1, flushKey(1)),
                rows(100, flushKey(1)),
                NONE);
        CompactionPlan exactly = plan(
                manifest(base(1, 1, 10, 100, 10), base, delta(1, 48, 3)),
                rows(1, flushKey(1)),
                rows(2, flushKey(1)),
                NONE);

        assertThat(Objects.requireNonNull(more.consolidation()).files()).isEqualTo(3);
        assertThat(Objects.requireNonNull(exactly.consolidation()).files()).isEqualTo(2);
    }

    @Test
    void aLoneSmallDeltaStaysBesideOneThatGoesIntoTheBaseTierAsAWhole() {
        Manifest manifest =
                manifest(base(1, 1, 10, 100, 10), base(2, 11, 1000, 100, 1000), delta(1, 1, 5), delta(2, 1, 5));

        CompactionPlan plan = plan(manifest, rows(5, flushKey(1)), rows(5, flushKey(2)), NONE);

        assertThat(action(plan, flushKey(1))).isEqualTo(Action.MERGE);
        assertThat(action(plan, flushKey(2))).isEqualTo(Action.KEEP);
    }

    @Test
    void aDeltaWithoutRowsIsDropped() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), delta(1, 12, 0));

        CompactionPlan plan = plan(manifest, NONE, NONE);

        assertThat(action(plan, flushKey(1))).isEqualTo(Action.DROP);
        assertThat(Objects.requireNonNull(plan.consolidation()).files()).isZero();
    }

    @Test
    void aLoneDeltaBelowTheRatioStaysAsItIs() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), entry("delta", consolidatedKey(1), 1, 50, 1, 50));

        assertThat(plan(manifest, rows(50, consolidatedKey(1)), NONE).isEmpty()).isTrue();
    }

    @Test
    void aHundredFlushesWriteEachRowAnewAFewTimesOnly() {
        long written = 0;
        List<ManifestEntry> deltas = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            deltas.add(delta(i, 2, 2000));
            List<ManifestEntry> entries = new ArrayList<>(deltas);
            entries.add(base(1, 1, 10_000_000, 100, 10_000_000));
            Map<String, Long> rows = deltas.stream()
                    .collect(Collectors.toMap(ManifestEntry::key, e -> Objects.requireNonNull(e.rowCount())));
            long rowCount = rows.values().stream().mapToLong(n -> n).sum();

            Consolidation consolidation = plan(
                            manifest(entries.toArray(ManifestEntry[]::new)),
                            new LooseRows(rowCount, rowCount, rows),
                            NONE)
                    .consolidation();

            if (consolidation != null) {
                double megabytes = consolidation.predictedBytes() / 1e6;
                written += consolidation.predictedBytes();
                deltas.removeIf(e -> consolidation.keys().contains(e.key()));
                deltas.add(entry("delta", consolidatedKey(i), 1, 2, megabytes, Math.round(megabytes * 1000)));
            }
        }

        assertThat(written).isLessThan(3 * 200_000_000L);
        assertThat(deltas).hasSizeLessThan(30);
    }

    @Test
    void aFileWithoutRowsGoesWhenOthersAreListed() {
        CompactionPlan plan = plan(manifest(emptyBase(1), delta(1, 1, 5)), rows(5, flushKey(1)));

        assertThat(action(plan, baseKey(1))).isEqualTo(Action.DROP);
        assertThat(action(plan(manifest(emptyBase(1), base(2, 1, 9, 100, 9)), NONE, NONE), baseKey(1)))
                .isEqualTo(Action.DROP);
        assertThat(plan(manifest(emptyBase(1)), NONE).isEmpty()).isTrue();

        CompactionPlan ofTwo = plan(manifest(emptyBase(1), emptyBase(2)), NONE);
        assertThat(action(ofTwo, baseKey(1))).isEqualTo(Action.KEEP);
        assertThat(action(ofTwo, baseKey(2))).isEqualTo(Action.DROP);
    }

    @Test
    void everyFileIsExplained() {
        Manifest manifest = manifest(base(1, 1, 1000, 100, 1000), base(2, 1001, 2000, 100, 1000), delta(1, 1, 101));

        String text = plan(
                        manifest,
                        new LooseRows(50, 50, Map.of(flushKey(1), 50L)),
                        new LooseRows(60, 10, Map.of(flushKey(1), 60L)),
                        NONE)
                .explain();

        assertThat(text.lines()).hasSize(6).allSatisfy(line -> assertThat(line).isNotBlank());
        assertThat(text)
                .contains("keep  base   100.0 MB  " + baseKey(1) + ": 50 of 1000 rows dirty")
                .contains("merge base   100.0 MB  " + baseKey(2) + ": 60 of 1000 rows dirty, more than 5 %")
                .contains("merge delta")
                .contains("write base    95.0 MB  1 file")
                .contains("write delta  454.5 kB  1 file");
    }

    private static LooseRows rows(long rowIds, String... keys) {
        return new LooseRows(
                rowIds, rowIds, Arrays.stream(keys).collect(Collectors.toMap(k -> k, k -> rowIds / keys.length)));
    }

    private static Action action(CompactionPlan plan, String key) {
        return plan.files().stream()
                .filter(file -> file.key().equals(key))
                .map(FileDecision::action)
                .findFirst()
                .orElseThrow();
    }

    private static CompactionPlan plan(Manifest manifest, LooseRows... rows) {
        return plan(CONFIG, manifest, rows);
    }

    private static CompactionPlan plan(CompactionConfig config, Manifest manifest, LooseRows... rows) {
        BaseLayout layout = BaseLayout.of(manifest, CompactionPlanner.targetBytes(config));
        assertThat(layout.slots()).hasSameSizeAs(rows);
        return new CompactionPlanner(manifest, layout, config, List.of(rows)).plan();
    }
}
