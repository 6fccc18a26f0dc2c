package io.formacdc.manifest;

import static io.formacdc.manifest.Entries.base;
import static io.formacdc.manifest.Entries.baseKey;
import static io.formacdc.manifest.Entries.delta;
import static io.formacdc.manifest.Entries.emptyBase;
import static io.formacdc.manifest.Entries.entry;
import static io.formacdc.manifest.Entries.keys;
import static io.formacdc.manifest.Entries.manifest;
import static io.formacdc.manifest.Entries.rowId;
import static io.formacdc.manifest.Manifests.flushKey;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.RowIdInterval;
import io.formacdc.manifest.BaseLayout.Slot;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class BaseLayoutTest {
    private static final long TARGET = 100_000_000;

    @Test
    void everyRowIdBelongsToOneSlot() {
        BaseLayout layout = layout(base(2, 50, 90, 100, 10), base(1, 10, 40, 100, 10));

        assertThat(layout.slots().stream().map(Slot::interval))
                .containsExactly(
                        new RowIdInterval(null, rowId(40)),
                        new RowIdInterval(rowId(40), rowId(90)),
                        new RowIdInterval(rowId(90), null));
        assertThat(layout.slots().get(2).bases()).isEmpty();
    }

    @Test
    void whatIsCalledABaseAndNeedNotHoldEachRowOnceIsNoDisjointBase() {
        ManifestEntry promoted =
                delta(3, 1, 5).toBuilder().level(ManifestEntry.BASE).build();
        Manifest manifest = manifest(
                base(1, 10, 40, 100, 10),
                base(2, 50, 90, 100, 10),
                promoted,
                base(4, 60, 95, 100, 10),
                base(5, 99, 120, 100, 10).toBuilder().maxRowId(null).build(),
                emptyBase(6),
                delta(7, 1, 5));

        assertThat(manifest.disjointBases()).extracting(ManifestEntry::key).containsExactly(baseKey(1), baseKey(2));
    }

    @Test
    void rowIdsAreInByteOrder() {
        UUID high = UUID.fromString("f0000000-0000-4000-8000-000000000000");
        UUID higher = UUID.fromString("f0000000-0000-4000-8000-000000000001");
        ManifestEntry middle =
                base(2, 50, 50, 100, 10).toBuilder().maxRowId(high.toString()).build();
        ManifestEntry upper = base(3, 0, 0, 100, 10).toBuilder()
                .minRowId(higher.toString())
                .maxRowId(higher.toString())
                .build();

        BaseLayout layout = layout(upper, middle, base(1, 10, 40, 100, 10));

        assertThat(layout.loose()).isEmpty();
        assertThat(layout.slots().get(1).interval()).isEqualTo(new RowIdInterval(rowId(40), high));
        assertThat(layout.slots().get(2).interval()).isEqualTo(new RowIdInterval(high, higher));
    }

    @Test
    void theLastBaseOwnsWhatComesAfterItAsLongAsItIsBelowTheTarget() {
        BaseLayout layout = layout(base(1, 10, 40, 100, 10), base(2, 50, 90, 99, 10));

        assertThat(layout.slots()).hasSize(2);
        assertThat(layout.slots().get(1).interval()).isEqualTo(new RowIdInterval(rowId(40), null));
    }

    @Test
    void smallNeighboursLieInOneSlotUpToTheTarget() {
        BaseLayout layout = layout(
                base(1, 1, 2, 40, 10),
                base(2, 3, 4, 40, 10),
                base(3, 5, 6, 40, 10),
                base(4, 7, 8, 40, 10),
                base(5, 9, 10, 60, 10));

        assertThat(layout.slots().stream().map(slot -> slot.bases().size())).containsExactly(3, 1, 1);
        assertThat(layout.isOutOfShape(TARGET)).isTrue();
    }

    @Test
    void neighboursAreTakenTogetherUntilTheTargetIsReached() {
        BaseLayout layout = layout(
                base(1, 1, 2, 60, 10),
                base(2, 3, 4, 40, 10),
                base(3, 5, 6, 30, 10),
                base(4, 7, 8, 30, 10),
                base(5, 9, 10, 40, 10),
                base(6, 11, 12, 60, 10));

        assertThat(layout.slots().stream().map(slot -> slot.bases().size())).containsExactly(1, 3, 1, 1);
    }

    @Test
    void aBaseOfHalfTheTargetIsNotSmall() {
        assertThat(layout(base(1, 1, 2, 50, 10), base(2, 3, 4, 50, 10)).isOutOfShape(TARGET))
                .isFalse();
        assertThat(layout(base(1, 1, 2, 49, 10), base(2, 3, 4, 49, 10)).isOutOfShape(TARGET))
                .isTrue();
    }

    @Test
    void aBaseOfUnknownSizeIsNotTakenForASmallOneAndDoesNotGrow() {
        ManifestEntry first = base(1, 1, 2, 0, 10);
        ManifestEntry second = base(2, 3, 4, 0, 10);

        assertThat(layout(first, second).slots().stream()
                        .map(slot -> slot.bases().size()))
                .containsExactly(1, 1, 0);
    }

    @Test
    void aPromotedDeltaThatNamesRowIdsMayHaveRowsWhateverItsCount() {
        BaseLayout layout = layout(entry("base", flushKey(1), 1, 50, 1, 0));

        assertThat(layout.withoutRows()).isEmpty();
        assertThat(keys(layout.loose())).containsExactly(flushKey(1));
    }

    @Test
    void withoutAnyBaseThereIsOneSlot() {
        assertThat(layout(delta(1, 1, 5)).slots()).containsExactly(new Slot(RowIdInterval.ALL, List.of()));
    }

    @Test
    void aBaseThatOverlapsAnotherIsLoose() {
        BaseLayout layout = layout(base(1, 1, 50, 100, 10), base(2, 50, 90, 100, 10));

        assertThat(keys(layout.loose())).containsExactly(baseKey(2));
    }

    @Test
    void whatLiesInsideABaseIsLooseWhateverLiesBetween() {
        BaseLayout layout = layout(base(1, 1, 90, 100, 10), base(2, 5, 10, 100, 10), base(3, 50, 60, 100, 10));

        assertThat(keys(layout.loose())).containsExactly(baseKey(2), baseKey(3));
    }

    @Test
    void theLevelSaysWhereAFileBelongsBeforeTheShapeOfItsKey() {
        BaseLayout layout =
                layout(entry("delta", baseKey(1), 1, 50, 100, 10), entry("archive", baseKey(2), 60, 90, 100, 10));

        assertThat(keys(layout.loose())).containsExactly(baseKey(1));
        assertThat(keys(layout.unknownTiers())).containsExactly(baseKey(2));
    }

    @Test
    void aDeltaThatWasPromotedWithoutBeingRewrittenIsLoose() {
        BaseLayout layout = layout(entry("base", flushKey(1), 1, 50, 100, 10));

        assertThat(keys(layout.loose())).containsExactly(flushKey(1));
    }

    @Test
    void aFileInTheFolderOfAnotherSchemaIsLoose() {
        String elsewhere = baseKey(1).replace("/7/", "/17/");

        assertThat(keys(layout(entry("base", elsewhere, 1, 50, 100, 10)).loose()))
                .containsExactly(elsewhere);
    }

    @Test
    void aBaseWhoseBoundsCannotBeReadIsLoose() {
        ManifestEntry unbounded =
                base(1, 1, 50, 100, 10).toBuilder().minRowId("").build();
        ManifestEntry reversed = base(2, 90, 60, 100, 10);
        ManifestEntry shortened =
                base(3, 1, 50, 100, 10).toBuilder().minRowId("0-0-0-0-1").build();

        assertThat(layout(unbounded, reversed, shortened).loose()).hasSize(3);
    }

    @Test
    void aBaseWithoutBoundsAndCountMayHaveRows() {
        BaseLayout layout = layout(emptyBase(1).toBuilder().rowCount(null).build());

        assertThat(layout.withoutRows()).isEmpty();
        assertThat(keys(layout.loose())).containsExactly(baseKey(1));
    }

    @Test
    void anExportedBaseCountsUnderEitherName() {
        UUID a = new UUID(1, 1);
        BaseLayout layout = layout(
                entry("base", "data/7/" + a + "_" + a + ".parquet", 1, 50, 100, 10),
                entry("base", "other/7/" + a + "_" + a + "_" + a + ".parquet", 60, 70, 100, 10));

        assertThat(layout.loose()).isEmpty();
        assertThat(layout.slots()).hasSize(3);
    }

    @Test
    void aFileWithoutRowsIsNeededOnlyAlone() {
        assertThat(layout(emptyBase(1)).isOutOfShape(TARGET)).isFalse();
        assertThat(layout(emptyBase(1), emptyBase(2)).isOutOfShape(TARGET)).isTrue();
        assertThat(layout(emptyBase(1), base(2, 1, 2, 100, 10)).isOutOfShape(TARGET))
                .isTrue();
    }

    @Test
    void aBaseOfTwiceTheTargetIsOutOfShapeUnlessItIsOneRow() {
        assertThat(layout(base(1, 1, 50, 199, 10)).isOutOfShape(TARGET)).isFalse();
        assertThat(layout(base(1, 1, 50, 200, 10)).isOutOfShape(TARGET)).isTrue();
        assertThat(layout(base(1, 1, 1, 200, 1)).isOutOfShape(TARGET)).isFalse();
    }

    private static BaseLayout layout(ManifestEntry... entries) {
        return BaseLayout.of(manifest(entries), TARGET);
    }
}
