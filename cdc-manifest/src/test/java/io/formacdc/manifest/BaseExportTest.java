package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.BaseExportReport;
import io.formacdc.core.BaseExportReport.Outcome;
import io.formacdc.core.CdcException;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.SchemaLockedException;
import io.formacdc.manifest.ExportWorld.Call;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The order of the effects of an initial export, and what is there after each of them failed. */
@Timeout(60)
final class BaseExportTest {
    private static final BaseExportOptions REFUSE = new BaseExportOptions(BaseExportOptions.ExistingDeltas.REFUSE, 2);
    private static final BaseExportOptions REPLACE = REFUSE.replacingDeltas();
    private static final int ROWS = 7_500;

    private static final String UNIQUE_KEY = "data/7/([0-9a-f-]{36}_){2}[0-9a-f-]{36}\\.parquet";

    @TempDir
    private Path folder;

    private ExportWorld world;

    @BeforeEach
    void createRows() {
        world = new ExportWorld(folder);
        world.insert(ROWS);
    }

    @Test
    void firstExportListsFilesByTheBoundsOfTheirRows() {
        BaseExportReport report = world.export(REFUSE);

        assertThat(report.outcome()).isEqualTo(Outcome.EXPORTED);
        assertThat(report.rows()).isEqualTo(ROWS);
        assertThat(report.files()).isEqualTo(report.keys().size()).isGreaterThan(5);
        assertThat(report.filesRetired()).isZero();
        Manifest manifest = world.manifest();
        assertThat(keysOf(manifest)).isEqualTo(report.keys());
        assertThat(manifest.flushSeq()).isZero();
        assertThat(manifest.entries())
                .allSatisfy(e -> assertThat(e.key())
                        .startsWith("data/7/" + e.minRowId() + "_" + e.maxRowId() + "_")
                        .matches(UNIQUE_KEY));
        world.assertListedIsLive();
        assertThat(world.stagedKeys()).isEmpty();
    }

    /** The first file is exported alone, to learn the size of rows; the next two wait for each other. */
    @Test
    void severalFilesAreExportedAtOnce() {
        CyclicBarrier both = new CyclicBarrier(2);
        world.onCall(Call.EXPORT, 2, () -> meet(both));
        world.onCall(Call.EXPORT, 3, () -> meet(both));

        assertThat(world.export(REFUSE).rows()).isEqualTo(ROWS);

        world.assertListedIsLive();
    }

    @Test
    void asManyFilesAreExportedAtOnceAsTheirThreadsGoIntoTheCores() {
        int cores = Runtime.getRuntime().availableProcessors();
        world.export(BaseExportOptions.DEFAULTS);
        assertThat(world.filesAtOnce).isEqualTo(Math.min(64, cores));

        world.duckThreads = cores;
        world.export(BaseExportOptions.DEFAULTS);
        assertThat(world.filesAtOnce).isEqualTo(1);
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void secondExportOverwritesNothingAndRetiresTheFirst() {
        List<String> first = world.export(REFUSE).keys();
        world.update(ROWS / 2);
        world.rows.remove(world.rows.firstKey());

        BaseExportReport second = world.export(REFUSE);

        assertThat(second.keys()).doesNotContainAnyElementsOf(first).allMatch(key -> key.matches(UNIQUE_KEY));
        assertThat(second.filesRetired()).isEqualTo(first.size());
        assertThat(world.manifest().retired()).extracting(RetiredFile::key).containsExactlyElementsOf(first);
        assertThat(world.objects.keys()).containsAll(first);
        world.assertListedIsLive();
    }

    @Test
    void deltasAreRefusedBeforeARowIsReadAndReplacedOnDemand() {
        world.flush(1);
        world.flush(2);
        byte[] before = world.objects.peek(Manifests.MANIFEST_KEY);

        assertThatThrownBy(() -> world.export(REFUSE))
                .isInstanceOf(ExportRefusedException.class)
                .hasMessageStartingWith("schema 7, look at what is listed: 2 deltas are listed already; ")
                .hasMessageContaining("BaseExportOptions.DEFAULTS.replacingDeltas()");
        assertThatThrownBy(() -> world.plan(REFUSE)).isInstanceOf(ExportRefusedException.class);
        assertThat(world.snapshots).isZero();
        assertThat(world.objects.peek(Manifests.MANIFEST_KEY)).isEqualTo(before);

        BaseExportReport report = world.export(REPLACE);

        assertThat(report.filesRetired()).isEqualTo(2);
        assertThat(world.manifest().delta()).isEmpty();
        assertThat(world.manifest().flushSeq()).isEqualTo(2);
        assertThat(world.manifest().retired())
                .extracting(RetiredFile::key)
                .containsExactly(Manifests.flushKey(1), Manifests.flushKey(2));
        world.assertListedIsLive();
    }

    @Test
    void unknownTiersAreRefusedWhateverTheOptions() {
        MemoryObjectStore objects = world.objects;
        objects.put(
                Manifests.MANIFEST_KEY,
                utf8("{\"schema_id\": 7, \"version\": 1, \"updated_at_ms\": 1, \"files\": [{\"tier\": \"warm\","
                        + " \"path\": \"data/7/x.parquet\"}]}"));

        assertThatThrownBy(() -> world.export(REPLACE))
                .isInstanceOf(ExportRefusedException.class)
                .hasMessageContaining("1 files are listed in tiers that are neither base nor delta (\"warm\")");
        assertThat(world.snapshots).isZero();
    }

    @Test
    void manifestIsLoadedBeforeTheSnapshotIsTaken() {
        world.atSnapshot = () -> world.flush(1);

        assertThatThrownBy(() -> world.export(REPLACE)).isInstanceOf(FencedException.class);

        assertThat(keysOf(world.manifest())).containsExactly(Manifests.flushKey(1));
    }

    @Test
    void flushThatListsDuringTheExportFencesItAndTheNextOneReusesItsFiles() {
        world.flush(1);
        world.onCall(Call.COPY, 1, () -> world.flush(2));

        assertThatThrownBy(() -> world.export(REPLACE))
                .isInstanceOf(FencedException.class)
                .hasMessageStartingWith("schema 7, save of the manifest: ");

        assertThat(keysOf(world.manifest())).containsExactly(Manifests.flushKey(1), Manifests.flushKey(2));
        assertThat(world.unlistedInPlace()).isEmpty();
        BaseExportReport again = world.export(REPLACE);
        assertThat(again.filesReused()).isEqualTo(again.files());
        world.assertListedIsLive();
    }

    @Test
    void compactionDuringTheExportIsReplacedToo() {
        world.flush(1);
        world.flush(2);
        String compacted = "data/7/base-" + new UUID(0, 9) + ".parquet";
        world.onCall(
                Call.COPY,
                1,
                () -> world.manifests.update(SCHEMA, Manifests.merge(List.of(Manifests.flushKey(1)), compacted)));

        BaseExportReport report = world.export(REPLACE);

        assertThat(report.filesRetired()).isEqualTo(3);
        assertThat(keysOf(world.manifest())).isEqualTo(report.keys());
        assertThat(world.manifest().retired())
                .extracting(RetiredFile::key)
                .containsExactlyInAnyOrder(compacted, Manifests.flushKey(1), Manifests.flushKey(2));
        world.assertListedIsLive();
    }

    @Test
    void exportThatCameFirstIsNotReplaced() {
        String other = "data/7/" + new UUID(0, 1) + "_" + new UUID(0, 2) + "_" + new UUID(0, 3) + ".parquet";
        world.onCall(Call.COPY, 1, () -> world.manifests.update(SCHEMA, Manifests.add(ManifestEntry.BASE, other)));

        assertThatThrownBy(() -> world.export(REPLACE))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("another export has listed \"" + other + "\"");

        assertThat(keysOf(world.manifest())).containsExactly(other);
    }

    @Test
    void lockHeldElsewhereIsAnErrorBeforeAnythingElse() {
        world.isLocked = true;

        assertThatThrownBy(() -> world.export(REFUSE))
                .isInstanceOf(SchemaLockedException.class)
                .hasMessageStartingWith("schema 7, lock: ");

        assertThat(world.objects.calls()).isZero();
    }

    /** As after the loss of the lock: the other one begins when the files of this one are about to be listed. */
    @Test
    void twoFirstExportsAtOnceLeaveEachOthersFilesAlone() {
        List<String> keysOfTheOther = new ArrayList<>();
        world.onCall(
                Call.COPY, 1, () -> keysOfTheOther.addAll(world.export(REFUSE).keys()));

        assertThatThrownBy(() -> world.export(REFUSE)).isInstanceOf(CdcException.class);

        assertThat(keysOf(world.manifest())).isNotEmpty().isEqualTo(keysOfTheOther);
        world.assertListedIsLive();
    }

    @Test
    void schemaThatNeverHadARowLeavesNoTrace() {
        world.rows.clear();

        assertThat(world.export(REFUSE).outcome()).isEqualTo(Outcome.NOTHING_TO_EXPORT);
        assertThat(world.plan(REFUSE).outcome()).isEqualTo(Outcome.NOTHING_TO_EXPORT);

        assertThat(world.objects.keys()).isEmpty();
    }

    @Test
    void emptiedSchemaListsOneFileWithoutRows() {
        world.export(REFUSE);
        world.rows.clear();
        assertThat(world.plan(REFUSE).files()).isEqualTo(1);

        BaseExportReport report = world.export(REFUSE);

        assertThat(report.keys()).singleElement().asString().matches("data/7/base-[0-9a-f-]{36}\\.parquet");
        assertThat(report.rows()).isZero();
        assertThat(world.manifest().entries()).singleElement().satisfies(e -> {
            assertThat(e.rowCount()).isZero();
            assertThat(e.minRowId()).isNull();
        });
        assertThat(world.stagedKeys()).isEmpty();
    }

    @Test
    void planSaysWhatWouldBeWrittenAndWritesNothing() {
        BaseExportReport plan = world.plan(REFUSE);

        assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
        assertThat(plan.rows()).isEqualTo(ROWS);
        assertThat(world.objects.keys()).isEmpty();
        BaseExportReport done = world.export(REFUSE);
        assertThat((double) plan.bytes()).isBetween(0.9 * done.bytes(), 1.1 * done.bytes());
        assertThat(plan.files()).isBetween(done.files() - 1, done.files() + 1);
        assertThat(world.plan(REFUSE).filesRetired()).isEqualTo(done.files());
    }

    /** The specification: whatever fails, and on which side of its effect. */
    @Test
    void everyStepFailsBeforeAndAfterItTookPlaceAndTheNextExportIsWhole() {
        int faults = 0;
        for (Call call : Call.values()) {
            for (int occurrence : new int[] {1, 2, 5}) {
                for (boolean isAfter : new boolean[] {false, true}) {
                    String fault = call + " " + occurrence + (isAfter ? " after" : " before");
                    ExportWorld faulty = new ExportWorld(folder);
                    faulty.insert(ROWS);
                    faulty.flush(1);
                    byte[] before = faulty.objects.peek(Manifests.MANIFEST_KEY);
                    faulty.fail(call, occurrence, isAfter);

                    Throwable thrown = catchThrowable(() -> faulty.export(REPLACE));

                    if (thrown == null) {
                        faulty.assertListedIsLive();
                    } else {
                        assertThat(thrown)
                                .as(fault)
                                .isInstanceOf(CdcException.class)
                                .hasMessageStartingWith("schema 7, ");
                        assertThat(faulty.objects.peek(Manifests.MANIFEST_KEY))
                                .as(fault)
                                .isEqualTo(before);
                        assertThat(faulty.unlistedInPlace()).as(fault).isEmpty();
                    }
                    assertThat(faulty.localFiles()).as(fault).isEmpty();
                    assertThat(faulty.heal().export(REPLACE).rows()).as(fault).isEqualTo(ROWS);
                    faulty.assertListedIsLive();
                    faults += faulty.hasFailed() ? 1 : 0;
                }
            }
        }
        assertThat(faults).isGreaterThan(40);
    }

    @ParameterizedTest
    @CsvSource({"SELECT, were selected", "DIGEST, are live"})
    void filesWithoutARowThatWasCountedAreNotListed(Call miscounting, String where) {
        world.miscounting = miscounting;

        assertThatThrownBy(() -> world.export(REFUSE)).hasMessageEndingWith(where);

        assertThat(world.objects.keys()).doesNotContain(Manifests.MANIFEST_KEY);
        assertThat(world.localFiles()).isEmpty();
    }

    /** In the staged place, and in the final one. */
    @ParameterizedTest
    @EnumSource(names = {"HEAD", "COPY"})
    void fileThatTheStoreCutShortIsNotListed(Call next) {
        world.onCall(
                next,
                1,
                () -> world.stagedKeys().stream()
                        .filter(key -> key.endsWith(".parquet"))
                        .forEach(key -> world.objects.put(key, utf8("PAR1"))));

        assertThatThrownBy(() -> world.export(REFUSE)).hasMessageContaining("the store holds 4 bytes of ");

        assertThat(world.objects.keys()).doesNotContain(Manifests.MANIFEST_KEY);
        assertThat(world.unlistedInPlace()).isEmpty();
    }

    @Test
    void unknownOutcomeOfTheSaveKeepsEveryObject() {
        world.flush(1);
        for (int n = 1; n < 20; n++) {
            world.fail(Call.MANIFEST_SAVE, n, true);
            world.fail(Call.MANIFEST_GET, 1 + n, false);
        }

        List<BaseExportReport> heard = new ArrayList<>();
        assertThatThrownBy(() -> world.export(REPLACE, heard::add))
                .isInstanceOf(CommitStateUnknownException.class)
                .hasMessageStartingWith("schema 7, save of the manifest: ");

        assertThat(heard.get(0).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(world.calls(Call.DELETE)).isZero();
    }

    @Test
    void exportThatDiedIsContinuedWhereItsFilesAreStillTrue() {
        world.fail(Call.COPY, 1, false);
        assertThatThrownBy(() -> world.export(REFUSE)).hasMessageContaining("injected");
        int exportsOfTheFirst = world.calls(Call.EXPORT);
        world.update(3);

        BaseExportReport second = world.export(REFUSE);

        assertThat(second.filesReused()).isEqualTo(second.files() - 1);
        // The pilot, and the range with the changed row.
        assertThat(world.calls(Call.EXPORT)).isEqualTo(exportsOfTheFirst + 2);
        world.assertListedIsLive();
        assertThat(world.stagedKeys().stream().filter(key -> key.endsWith(".json")))
                .isEmpty();
    }

    @Test
    void rowsThatCameAndWentBetweenTwoExportsAreNoticed() {
        world.fail(Call.COPY, 1, false);
        assertThatThrownBy(() -> world.export(REFUSE)).hasMessageContaining("injected");
        List<UUID> ids = List.copyOf(world.rows.keySet());
        world.rows.remove(ids.get(0));
        world.rows.remove(ids.get(ids.size() - 1));
        world.rows.put(new UUID(-1, -5), 77L);

        BaseExportReport second = world.export(REFUSE);

        assertThat(second.filesReused()).isBetween(1, second.files() - 2);
        world.assertListedIsLive();
    }

    @Test
    void stagedFileThatIsGoneIsExportedAgain() {
        world.fail(Call.COPY, 1, false);
        assertThatThrownBy(() -> world.export(REFUSE)).hasMessageContaining("injected");
        String gone = world.stagedKeys().stream()
                .filter(k -> k.endsWith(".parquet"))
                .findFirst()
                .orElseThrow();
        world.objects.delete(gone);

        BaseExportReport second = world.export(REFUSE);

        assertThat(second.filesReused()).isEqualTo(second.files() - 1);
        world.assertListedIsLive();
    }

    @Test
    void filesOfOtherSettingsAndJournalsThatAreBrokenAreOfNoUse() {
        for (Map.Entry<String, Boolean> entry :
                Map.of("codec", true, "broken", false).entrySet()) {
            ExportWorld other = new ExportWorld(folder);
            other.insert(ROWS);
            other.fail(Call.COPY, 1, false);
            assertThatThrownBy(() -> other.export(REFUSE)).hasMessageContaining("injected");
            if (entry.getValue()) {
                other.codec = "snappy";
            } else {
                other.objects.put(ExportJournal.keyOf("data", SCHEMA), utf8("{\"settings\": "));
            }

            assertThat(other.export(REFUSE).filesReused()).as(entry.getKey()).isZero();
            other.assertListedIsLive();
        }
    }
}
