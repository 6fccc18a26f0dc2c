package io.formacdc.manifest;

import static io.formacdc.manifest.Entries.base;
import static io.formacdc.manifest.Entries.baseKey;
import static io.formacdc.manifest.Entries.consolidatedKey;
import static io.formacdc.manifest.Entries.delta;
import static io.formacdc.manifest.Entries.entry;
import static io.formacdc.manifest.Entries.manifest;
import static io.formacdc.manifest.Manifests.NOW;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.flushKey;
import static io.formacdc.manifest.Manifests.keysOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The one save of a compaction, against what others have saved meanwhile. */
class SpliceTest {
    private static final ManifestEntry OLD = base(5, 1, 50, 100, 10);
    private static final ManifestEntry KEPT = base(6, 60, 90, 100, 10);
    private static final ManifestEntry NEW = base(1, 1, 55, 100, 10);

    /** Takes up the old base and the first delta. */
    private static final Splice SPLICE = new Splice(
            SCHEMA, Set.of(baseKey(5), baseKey(6), flushKey(1)), Set.of(baseKey(5), flushKey(1)), List.of(NEW), NOW);

    @Test
    void exactlyWhatWasMergedIsTakenOffAndRetired() {
        RetiredFile before = RetiredFile.of(baseKey(9), NOW - 1);
        Manifest listed = manifest(delta(1, 1, 1), KEPT, OLD).toBuilder()
                .retired(List.of(before))
                .build();

        Manifest saved = SPLICE.applyTo(listed);

        assertThat(keysOf(saved)).as("bases in row-id order").containsExactly(baseKey(1), baseKey(6));
        assertThat(saved.retired())
                .containsExactlyInAnyOrder(before, RetiredFile.of(flushKey(1), NOW), RetiredFile.of(baseKey(5), NOW));
    }

    @Test
    void whatAFlushListedMeanwhileStaysAfterTheBases() {
        Manifest saved = SPLICE.applyTo(manifest(OLD, KEPT, delta(1, 1, 1), delta(2, 1, 1)));

        assertThat(keysOf(saved)).containsExactly(baseKey(1), baseKey(6), flushKey(2));
    }

    @Test
    void whatAnotherCompactionListedEndsIt() {
        Manifest now = manifest(OLD, KEPT, delta(1, 1, 1), entry("delta", consolidatedKey(3), 1, 2, 1, 1));

        assertThatThrownBy(() -> SPLICE.applyTo(now))
                .isInstanceOf(Splice.OvertakenException.class)
                .hasMessageContaining(consolidatedKey(3));
    }

    @Test
    void whatAnotherCompactionTookUpEndsIt() {
        assertThatThrownBy(() -> SPLICE.applyTo(manifest(OLD, KEPT)))
                .isInstanceOf(Splice.OvertakenException.class)
                .hasMessageContaining(flushKey(1));
    }

    @Test
    void itIsSavedWhereANewFileIsListedOrWasAlready() {
        assertThat(SPLICE.isCommittedIn(manifest(OLD, KEPT, delta(1, 1, 1)))).isFalse();
        assertThat(SPLICE.isCommittedIn(manifest(NEW, KEPT))).isTrue();
        assertThat(SPLICE.isCommittedIn(manifest(KEPT).toBuilder()
                        .retired(List.of(RetiredFile.of(baseKey(1), NOW)))
                        .build()))
                .isTrue();
    }

    @Test
    void withoutANewFileItIsSavedWhereNothingOfTheMergedIsListed() {
        Splice dropping = new Splice(SCHEMA, Set.of(), Set.of(baseKey(5), flushKey(1)), List.of(), NOW);

        assertThat(dropping.key()).isIn(baseKey(5), flushKey(1));
        assertThat(dropping.isCommittedIn(manifest(OLD, KEPT))).isFalse();
        assertThat(dropping.isCommittedIn(manifest(KEPT))).isTrue();
    }

    @Test
    void everyNewFileMustBeInItsPlace() {
        assertThat(SPLICE.listedKeys()).containsExactly(baseKey(1));
    }
}
