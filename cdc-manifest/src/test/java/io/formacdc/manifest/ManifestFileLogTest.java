package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.add;
import static io.formacdc.manifest.Manifests.contents;
import static io.formacdc.manifest.Manifests.flushKey;
import static io.formacdc.manifest.Manifests.flushed;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.merge;
import static io.formacdc.manifest.Manifests.objectsWithAnyFile;
import static io.formacdc.manifest.Manifests.store;
import static io.formacdc.manifest.Manifests.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.FencedException;
import io.formacdc.core.FileLog;
import io.formacdc.core.FileLog.Appender;
import io.formacdc.core.FileLogContract;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.MemoryObjectStore.Fault;
import io.formacdc.core.ObjectStoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestFileLogTest extends FileLogContract {
    private final MemoryObjectStore objects = objectsWithAnyFile();
    private final ManifestStore store = store(objects);
    private final ManifestFileLog log = new ManifestFileLog(store);

    @Override
    protected FileLog fileLog() {
        return log;
    }

    @Override
    protected List<String> listed(int schemaId) {
        return keysOf(store.load(schemaId).manifest());
    }

    @Test
    void anAppendListsTheFileWithAllThatIsKnownOfIt() {
        log.open(SCHEMA).append(flushed(1));

        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(manifest.flushSeq()).isEqualTo(1);
        assertThat(manifest.delta())
                .containsExactly(new ManifestEntry(
                        flushKey(1),
                        "00000000-0000-0000-0000-000000000001",
                        "ffffffff-ffff-ffff-0000-000000000002",
                        1L,
                        9L,
                        123L,
                        "delta",
                        10L,
                        contents().checksum(),
                        Map.of("row_id", "UUID"),
                        Map.of()));
    }

    @Test
    void aPassAppendsAnyNumberOfFiles() {
        Appender appender = log.open(SCHEMA);
        for (int i = 1; i <= 3; i++) {
            appender.append(flushed(i));
        }

        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(keysOf(manifest)).containsExactly(flushKey(1), flushKey(2), flushKey(3));
        assertThat(manifest.flushSeq()).isEqualTo(3);
    }

    @Test
    void openingWritesNothing() {
        log.open(SCHEMA);

        assertThat(objects.keys()).isEmpty();
    }

    @Test
    void aCompactionInBetweenIsHarmless() {
        log.open(SCHEMA).append(flushed(1));
        Appender appender = log.open(SCHEMA);
        appender.append(flushed(2));
        store.update(SCHEMA, merge(List.of(flushKey(1)), "data/7/base-00000000-0000-7000-0000-000000000009.parquet"));
        store.update(SCHEMA, merge(List.of(flushKey(2)), "data/7/delta-00000000-0000-7000-0000-000000000009.parquet"));

        appender.append(flushed(3));

        assertThat(keysOf(store.load(SCHEMA).manifest())).hasSize(3).contains(flushKey(3));
    }

    @Test
    void aFlushThatACompactionTookUpFencesByTheCountAlone() {
        Appender appender = log.open(SCHEMA);
        log.open(SCHEMA).append(flushed(1));
        store.update(SCHEMA, merge(List.of(flushKey(1)), "data/7/base-1.parquet"));
        // The sweep has done its work: no trace but the count.
        store.update(SCHEMA, new ManifestChange() {
            @Override
            public String key() {
                return flushKey(1);
            }

            @Override
            public boolean isCommittedIn(Manifest manifest) {
                return manifest.retired().isEmpty();
            }

            @Override
            public Manifest applyTo(Manifest manifest) {
                return manifest.toBuilder().retired(List.of()).build();
            }
        });

        assertThatThrownBy(() -> appender.append(flushed(2)))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("flush_seq is 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"delta", "base"})
    void aFlushThatDoesNotCountFencesByItsKeyInAnyTier(String tier) {
        Appender appender = log.open(SCHEMA);
        store.update(SCHEMA, add(tier, flushKey(1)));

        assertThatThrownBy(() -> appender.append(flushed(2)))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("it listed \"" + flushKey(1) + "\"");
    }

    @Test
    void aFlushThatDoesNotCountAndIsRetiredAlreadyFencesToo() {
        Appender appender = log.open(SCHEMA);
        store.update(SCHEMA, add("delta", flushKey(1)));
        store.update(SCHEMA, merge(List.of(flushKey(1)), "data/7/base-1.parquet"));

        assertThatThrownBy(() -> appender.append(flushed(2))).isInstanceOf(FencedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data/7/delta-00000000-0000-7000-0000-000000000009.parquet",
                "data/7/base-00000000-0000-7000-0000-000000000009.parquet",
                "data/7/00000000-0000-7000-0000-000000000001_00000000-0000-7000-0000-000000000009.parquet",
                "data/17/00000000-0000-7000-0000-000000000009.parquet",
                "data/7/_tmp/00000000-0000-7000-0000-000000000009.parquet",
                "data/7/00000000-0000-7000-0000-000000000009.parquet.bak"
            })
    void otherKeysAreNoFlushOfTheSchema(String key) {
        Appender appender = log.open(SCHEMA);
        store.update(SCHEMA, add("delta", key));

        appender.append(flushed(1));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(key, flushKey(1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "7/00000000-0000-7000-0000-000000000009.parquet",
                "/7/00000000-0000-7000-0000-000000000009.parquet",
                "s3://lake/x/y/7/00000000-0000-7000-0000-00000000ABCD.parquet"
            })
    void aFlushIsKnownUnderAnyPrefix(String path) {
        Appender appender = log.open(SCHEMA);
        store.update(SCHEMA, add("delta", path));

        assertThatThrownBy(() -> appender.append(flushed(1))).isInstanceOf(FencedException.class);
    }

    @Test
    void theFenceIsCheckedAgainAfterAReload() {
        Appender appender = log.open(SCHEMA);
        objects.beforeCall(0, () -> log.open(SCHEMA).append(flushed(1)));

        assertThatThrownBy(() -> appender.append(flushed(2))).isInstanceOf(FencedException.class);
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1));
    }

    @Test
    void aCompactionWhileSavingIsHarmless() {
        log.open(SCHEMA).append(flushed(1));
        Appender appender = log.open(SCHEMA);
        objects.beforeCall(0, () -> store.update(SCHEMA, merge(List.of(flushKey(1)), "data/7/base-1.parquet")));

        appender.append(flushed(2));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("data/7/base-1.parquet", flushKey(2));
    }

    @Test
    void anAppendThatCommittedIsNotFencedByTheNextFlush() {
        Appender appender = log.open(SCHEMA);
        objects.failCall(0, Fault.AFTER);
        objects.beforeCall(1, () -> log.open(SCHEMA).append(flushed(2)));

        appender.append(flushed(1));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2));
        assertThatThrownBy(() -> appender.append(flushed(3))).isInstanceOf(FencedException.class);
    }

    @Test
    void anUnknownAppendMayBeTriedAgainWithItsKey() {
        ManifestFileLog hasty = new ManifestFileLog(store(objects, 0));
        Appender appender = hasty.open(SCHEMA);
        objects.failCall(0, Fault.AFTER);
        objects.failCall(1, Fault.BEFORE);
        assertThatThrownBy(() -> appender.append(flushed(1))).isInstanceOf(CommitStateUnknownException.class);

        appender.append(flushed(1));
        appender.append(flushed(2));

        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(keysOf(manifest)).containsExactly(flushKey(1), flushKey(2));
        assertThat(manifest.flushSeq()).isEqualTo(2);
    }

    @Test
    void appendingAKeyTwiceListsItOnce() {
        Appender appender = log.open(SCHEMA);
        appender.append(flushed(1));
        appender.append(flushed(1));
        appender.append(flushed(2));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2));
        Appender later = log.open(SCHEMA);
        later.append(flushed(1));
        later.append(flushed(3));
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2), flushKey(3));
    }

    @Test
    void theCountThatAnOlderWriterDroppedStartsAgain() {
        objects.put(MANIFEST_KEY, utf8("""
                {"schema_id": 7, "version": 3, "files": [{"tier": "base", "path": "data/7/base-1.parquet"}]}"""));

        log.open(SCHEMA).append(flushed(1));
        log.open(SCHEMA).append(flushed(2));

        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(manifest.form()).isEqualTo(ManifestForm.FILES);
        assertThat(manifest.flushSeq()).isEqualTo(2);
        assertThat(manifest.delta()).hasSize(2);
    }

    @Test
    void aCountThatIsDroppedInBetweenFences() {
        log.open(SCHEMA).append(flushed(1));
        Appender appender = log.open(SCHEMA);
        Manifest manifest = store.load(SCHEMA).manifest();
        objects.put(
                MANIFEST_KEY,
                new ManifestWriter().write(manifest.toBuilder().flushSeq(0).build()));

        assertThatThrownBy(() -> appender.append(flushed(2))).isInstanceOf(FencedException.class);
        log.open(SCHEMA).append(flushed(2));
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2));
    }

    @Test
    void withoutAManifestAnAppendHasNothingToDo() {
        new BucketFileLog().open(SCHEMA).append(flushed(1));

        assertThat(objects.calls()).isZero();
    }

    /** One or two faults never use up the retries: the path is listed, exactly once, whatever failed how. */
    @ParameterizedTest
    @EnumSource(ManifestForm.class)
    void anyTwoFaultsLeaveThePathListedOnce(ManifestForm form) {
        int tried = 0;
        for (boolean compaction : new boolean[] {false, true}) {
            for (List<Failure> failures : pairsOfFailures(6)) {
                Trial trial = new Trial(form, 5, failures, compaction);
                trial.append();

                assertThat(trial.thrown).as("%s", trial).isNull();
                assertThat(trial.timesListed()).as("%s", trial).isOne();
                assertThat(trial.flushSeq()).as("%s", trial).isEqualTo(2);
                tried++;
            }
        }
        assertThat(tried).isGreaterThan(500);
    }

    /** With hardly a retry, what is thrown is true: listed, not listed, or not known. */
    @Test
    void anyTwoFaultsAreReportedTruthfully() {
        List<String> outcomes = new ArrayList<>();
        for (int maxRetries = 0; maxRetries <= 1; maxRetries++) {
            for (boolean compaction : new boolean[] {false, true}) {
                for (List<Failure> failures : pairsOfFailures(5)) {
                    Trial trial = new Trial(ManifestForm.TIERED, maxRetries, failures, compaction);
                    trial.append();
                    outcomes.add(trial.checkTruth());
                }
            }
        }
        assertThat(outcomes).contains("listed", "not listed", "unknown, listed", "unknown, not listed");
    }

    private record Failure(int call, Fault fault) {}

    private static List<List<Failure>> pairsOfFailures(int calls) {
        List<Failure> single = new ArrayList<>();
        for (int call = 0; call < calls; call++) {
            for (Fault fault : Fault.values()) {
                single.add(new Failure(call, fault));
            }
        }
        return Stream.concat(
                        single.stream().map(List::of),
                        single.stream()
                                .flatMap(a -> single.stream()
                                        .filter(b -> b.call() > a.call())
                                        .map(b -> List.of(a, b))))
                .toList();
    }

    /** One append to a manifest with a file of an earlier flush, perhaps with a compaction before its second save. */
    private static final class Trial {
        private final MemoryObjectStore objects = objectsWithAnyFile();
        private final ManifestStore patient;
        private final Appender appender;
        private final List<Failure> failures;
        private final boolean compaction;
        private final int maxRetries;
        private @Nullable RuntimeException thrown;

        Trial(ManifestForm form, int maxRetries, List<Failure> failures, boolean compaction) {
            this.failures = failures;
            this.compaction = compaction;
            this.maxRetries = maxRetries;
            ManifestStoreOptions options = Manifests.OPTIONS.toBuilder()
                    .newForm(form)
                    .singleWriterStore(true)
                    .build();
            this.patient = new ManifestStore(objects, Manifests.CONFIG, options);
            new ManifestFileLog(patient).open(SCHEMA).append(flushed(1));
            ManifestStore store = new ManifestStore(
                    objects,
                    Manifests.CONFIG,
                    options.toBuilder().maxRetries(maxRetries).build());
            this.appender = new ManifestFileLog(store).open(SCHEMA);
            failures.forEach(f -> objects.failCall(f.call(), f.fault()));
            if (compaction) {
                objects.beforeCall(0, this::compact);
            }
        }

        /** Written past the numbered calls, so that the faults meet the append alone. */
        private void compact() {
            Manifest merged =
                    merge(List.of(flushKey(1)), "data/7/base-1.parquet").applyTo(patientManifest());
            objects.put(MANIFEST_KEY, new ManifestWriter().write(merged));
        }

        private Manifest patientManifest() {
            ManifestReader reader = new ManifestReader(SCHEMA, MANIFEST_KEY, Manifests.BUCKET, ManifestForm.TIERED);
            return reader.read(objects.peek(MANIFEST_KEY));
        }

        void append() {
            try {
                appender.append(flushed(2));
            } catch (RuntimeException e) {
                thrown = e;
            }
            objects.settle();
        }

        long timesListed() {
            return keysOf(patientManifest()).stream()
                    .filter(flushKey(2)::equals)
                    .count();
        }

        long flushSeq() {
            return patientManifest().flushSeq();
        }

        String checkTruth() {
            long listed = timesListed();
            assertThat(flushSeq()).as("%s", this).isEqualTo(1 + listed);
            if (thrown instanceof CommitStateUnknownException) {
                assertThat(listed).as("%s", this).isLessThanOrEqualTo(1);
                return listed == 1 ? "unknown, listed" : "unknown, not listed";
            }
            if (thrown == null) {
                assertThat(listed).as("%s", this).isOne();
                return "listed";
            }
            assertThat(thrown).as("%s", this).isInstanceOf(ObjectStoreException.class);
            assertThat(listed).as("%s", this).isZero();
            return "not listed";
        }

        @Override
        public String toString() {
            return failures + (compaction ? " with a compaction" : "") + ", " + maxRetries + " retries";
        }
    }
}
