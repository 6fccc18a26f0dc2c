package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.CONFIG;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.NOW;
import static io.formacdc.manifest.Manifests.OPTIONS;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.add;
import static io.formacdc.manifest.Manifests.change;
import static io.formacdc.manifest.Manifests.contents;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.merge;
import static io.formacdc.manifest.Manifests.store;
import static io.formacdc.manifest.Manifests.utf8;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcListener;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.ManifestSize;
import io.formacdc.core.ManifestSize.Tier;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.MemoryObjectStore.Fault;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestStoreTest {
    private final MemoryObjectStore objects = new MemoryObjectStore();

    @Test
    void anAbsentManifestIsEmptyAndHasNoEtag() {
        StoredManifest absent = store(objects).load(SCHEMA);

        assertThat(absent.exists()).isFalse();
        assertThat(absent.manifest()).isEqualTo(Manifest.empty(SCHEMA, ManifestForm.TIERED));
    }

    @Test
    void anUnreadableManifestIsNotTakenForAnAbsentOne() {
        objects.failCall(0, Fault.BEFORE);

        assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", "a")))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(objects.keys()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{", "{\"schema_id\": 8, \"files\": [{\"path\": \"a\"}]}", "{\"files\": [{\"path\": \"a\"}]}"})
    void anInvalidManifestIsNeverOverwritten(String document) {
        objects.put(MANIFEST_KEY, utf8(document));

        assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", "a")))
                .isInstanceOf(InvalidManifestException.class);
        assertThat(stored()).isEqualTo(document);
    }

    @Test
    void everySaveMovesVersionAndTimeOn() {
        ManifestStore store = store(objects);

        Manifest first = store.update(SCHEMA, add("delta", "a")).manifest();
        Manifest second = store.update(SCHEMA, add("delta", "b")).manifest();

        assertThat(first.version()).isEqualTo(1);
        assertThat(first.updatedAtMillis()).isEqualTo(NOW);
        assertThat(second.version()).isEqualTo(2);
        assertThat(second.updatedAtMillis()).isEqualTo(NOW + 1);
        assertThat(second.flushSeq()).isZero();
    }

    @Test
    void aChangeCannotSetWhatTheStoreSets() {
        Manifest saved = store(objects)
                .update(
                        SCHEMA,
                        change(
                                "a",
                                m -> add("base", "a").applyTo(m).toBuilder()
                                        .schemaId(9)
                                        .version(99)
                                        .form(ManifestForm.FILES)
                                        .build()))
                .manifest();

        assertThat(saved.schemaId()).isEqualTo(SCHEMA);
        assertThat(saved.version()).isEqualTo(1);
        assertThat(saved.form()).isEqualTo(ManifestForm.TIERED);
    }

    @Test
    void whatIsReturnedIsWhatIsStored() {
        ManifestStore store = store(objects);

        StoredManifest returned = store.update(SCHEMA, add("delta", "a"));

        assertThat(store.load(SCHEMA)).isEqualTo(returned);
    }

    @ParameterizedTest
    @CsvSource({"TIERED, FILES, FILES", "FILES, TIERED, TIERED"})
    void anExistingManifestKeepsItsFormAndANewOneTakesTheConfigured(
            ManifestForm first, ManifestForm second, ManifestForm configuredForNew) {
        ManifestStore before = new ManifestStore(
                objects, CONFIG, OPTIONS.toBuilder().newForm(first).build());
        ManifestStore after = new ManifestStore(
                objects, CONFIG, OPTIONS.toBuilder().newForm(second).build());
        before.update(SCHEMA, add("delta", "a"));

        assertThat(after.update(SCHEMA, add("delta", "b")).manifest().form()).isEqualTo(first);
        assertThat(after.update(8, add("delta", "a")).manifest().form()).isEqualTo(configuredForNew);
    }

    @Test
    void unknownKeysSurviveASave() {
        objects.put(MANIFEST_KEY, utf8("""
                {"schema_id": 7, "owner": "x", "files": [{"tier": "archive", "path": "a", "bloom": 1}]}"""));

        store(objects).update(SCHEMA, add("delta", "b"));

        assertThat(stored()).contains("\"owner\": \"x\"", "\"tier\": \"archive\"", "\"bloom\": 1");
    }

    @Test
    void whatIsReadAndSavedIsToldAndSoIsAConflict() {
        List<Object> heard = new ArrayList<>();
        CdcListener listener = new CdcListener() {
            @Override
            public void manifestSeen(ManifestSize size) {
                heard.add(size);
            }

            @Override
            public void manifestConflict(int schemaId) {
                heard.add("conflict " + schemaId);
            }
        };
        ManifestStore store = new ManifestStore(
                objects,
                CONFIG,
                OPTIONS.toBuilder().singleWriterStore(true).listener(listener).build());
        objects.beforeCall(1, () -> putByHand("x"));

        store.update(SCHEMA, add("delta", "a"));
        store.update(SCHEMA, merge(List.of("a"), "b"));

        assertThat(heard)
                .containsExactly(
                        "conflict 7",
                        size(0, Map.of("delta", new Tier(1, 0)), 0),
                        size(1, Map.of("delta", new Tier(2, 123)), 0),
                        size(1, Map.of("delta", new Tier(2, 123)), 0),
                        size(2, Map.of("delta", new Tier(1, 0), "base", new Tier(1, 123)), 1));
    }

    private static ManifestSize size(long version, Map<String, Tier> tiers, int retired) {
        return new ManifestSize(SCHEMA, version, tiers, retired);
    }

    @Test
    void aListIsNeverEmptied() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("delta", "a"));
        String before = stored();

        assertThatThrownBy(() -> store.update(
                        SCHEMA,
                        change("x", m -> m.toBuilder().entries(List.of()).build())))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("schema 7")
                .hasMessageContaining("list a file without rows instead");
        assertThat(stored()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/../b", "a*", "s3://other/a"})
    void whatALoadWouldRefuseIsNotSaved(String path) {
        assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", path)))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("path \"" + path + "\"");
        assertThat(objects.keys()).isEmpty();
    }

    @Test
    void aManifestThatWouldOutgrowTheLimitIsNotSaved() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("delta", "a"));
        ManifestEntry large = ManifestEntry.delta("b", contents()).toBuilder()
                .checksum("x".repeat(ManifestJson.MAX_BYTES))
                .build();
        ManifestChange grow =
                change("b", m -> m.toBuilder().entries(List.of(large)).build());

        assertThatThrownBy(() -> store.update(SCHEMA, grow))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("is not saved")
                .hasMessageContaining("compact the schema");
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("a");
    }

    @Test
    void anUnknownKeyThatIsNoJsonIsNotSaved() {
        ManifestChange broken = change(
                "a",
                m -> add("delta", "a").applyTo(m).toBuilder()
                        .unknownKeys(Map.of("x", "{"))
                        .build());

        assertThatThrownBy(() -> store(objects).update(SCHEMA, broken))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("schema 7")
                .hasMessageContaining("what is no JSON");
        assertThat(objects.keys()).isEmpty();
    }

    @Test
    void aChangeThatIsSavedAlreadyIsNotSavedAgain() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("delta", "a"));

        StoredManifest again = store.update(SCHEMA, add("delta", "a"));

        assertThat(again.manifest().version()).isEqualTo(1);
        assertThat(keysOf(again.manifest())).containsExactly("a");
    }

    @Test
    void aFileListedUnderItsFullAddressCounts() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("delta", "s3://lake/a"));

        assertThat(keysOf(store.update(SCHEMA, add("delta", "a")).manifest())).containsExactly("a");
    }

    @Test
    void anotherWriterInBetweenLosesNothing() {
        ManifestStore store = store(objects);
        objects.beforeCall(1, () -> store(objects).update(SCHEMA, add("delta", "b")));

        store.update(SCHEMA, add("delta", "a"));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("b", "a");
    }

    @Test
    void aFileThatACompactionTookUpBeforeTheReloadIsCommitted() {
        ManifestStore store = store(objects);
        objects.failCall(1, Fault.AFTER);
        objects.beforeCall(2, () -> store(objects).update(SCHEMA, merge(List.of("a"), "merged")));

        store.update(SCHEMA, add("delta", "a"));

        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("merged");
    }

    @Test
    void aChangeThatNoLongerFitsGivesUpAndSavesNothing() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("delta", "a"));
        objects.beforeCall(1, () -> store(objects).update(SCHEMA, merge(List.of("a"), "theirs")));

        assertThatThrownBy(() -> store.update(SCHEMA, merge(List.of("a"), "ours")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a is not listed");
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("theirs");
    }

    @Test
    void losingToOthersUntilTheEndIsKnownNotToBeSaved() {
        ManifestStore store = store(objects, 2);
        for (int put = 1; put <= 5; put += 2) {
            String other = "other-" + put;
            objects.beforeCall(put, () -> putByHand(other));
        }

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "a")))
                .isInstanceOf(PreconditionFailedException.class)
                .hasMessageContaining("of schema 7")
                .hasMessageContaining("saved by others 3 times")
                .hasMessageContaining("\"a\"");
        assertThat(keysOf(store.load(SCHEMA).manifest())).doesNotContain("a");
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"BEFORE", "MUCH_LATER"})
    void aSaveThatMayBeUnderWayStillIsUnknownAtTheEnd(Fault fault) {
        ManifestStore store = store(objects, 0);
        objects.failCall(1, fault);

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "a")))
                .isInstanceOfSatisfying(CommitStateUnknownException.class, e -> {
                    assertThat(e.key()).isEqualTo("a");
                    assertThat(e).hasMessageContaining("root/manifest/7.json").hasMessageContaining("schema 7");
                });
        objects.settle();
        assertThat(store.load(SCHEMA).exists()).isEqualTo(fault == Fault.MUCH_LATER);
    }

    @Test
    void aLateSaveThatHasLostItsEtagIsKnownNotToBeSaved() {
        ManifestStore store = store(objects, 0);
        store.update(SCHEMA, add("delta", "a"));
        objects.failCall(1, Fault.MUCH_LATER);
        objects.beforeCall(2, () -> store(objects).update(SCHEMA, add("delta", "b")));

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "c")))
                .isInstanceOf(PreconditionFailedException.class);
        objects.settle();
        assertThat(keysOf(store.load(SCHEMA).manifest())).containsExactly("a", "b");
    }

    @Test
    void withoutAnyReloadTheOutcomeIsUnknown() {
        ManifestStore store = store(objects, 2);
        for (int call = 1; call <= 4; call++) {
            objects.failCall(call, Fault.AFTER);
        }

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "a")))
                .isInstanceOf(CommitStateUnknownException.class)
                .hasMessageContaining("\"a\"")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(objects.calls()).isEqualTo(5);
    }

    @Test
    void aManifestThatBecameUnreadableLeavesTheOutcomeUnknown() {
        ManifestStore store = store(objects);
        objects.failCall(1, Fault.AFTER);
        objects.beforeCall(2, () -> objects.put(MANIFEST_KEY, utf8("{")));

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "a")))
                .isInstanceOf(CommitStateUnknownException.class);
        assertThat(stored()).isEqualTo("{");
    }

    @Test
    void aManifestThatIsGoneIsNotCreatedAnew() {
        ManifestStore store = store(objects);
        store.update(SCHEMA, add("base", "a"));
        objects.beforeCall(1, () -> objects.delete(MANIFEST_KEY));

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "b")))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining("gone since it was loaded");
        assertThat(objects.keys()).isEmpty();
    }

    @Test
    void pausesDoubleUpToTheLongestAndHalfOfEachIsRandom() {
        List<Duration> pauses = new ArrayList<>();
        ManifestStore store = new ManifestStore(
                objects,
                CONFIG,
                OPTIONS.toBuilder()
                        .maxRetries(5)
                        .baseBackoff(Duration.ofMillis(40))
                        .maxBackoff(Duration.ofMillis(500))
                        .sleeper(pauses::add)
                        .build());
        for (int call = 1; call <= 11; call += 2) {
            objects.failCall(call, Fault.BEFORE);
        }

        assertThatThrownBy(() -> store.update(SCHEMA, add("delta", "a")))
                .isInstanceOf(CommitStateUnknownException.class);

        long[] longest = {40, 80, 160, 320, 500, 500};
        assertThat(pauses).hasSize(longest.length);
        for (int i = 0; i < longest.length; i++) {
            assertThat(pauses.get(i).toMillis()).isBetween(longest[i] / 2, longest[i]);
        }
    }

    @Test
    void anInterruptBetweenSavesIsHonouredAndTruthful() {
        objects.failCall(1, Fault.BEFORE);
        objects.beforeCall(1, Thread.currentThread()::interrupt);

        Throwable thrown = catchThrowable(() -> new ManifestStore(
                        objects,
                        CONFIG,
                        OPTIONS.toBuilder().singleWriterStore(true).build())
                .update(SCHEMA, add("delta", "a")));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown).isInstanceOf(CommitStateUnknownException.class);
    }

    @Test
    void manyWritersAtOnceLoseNothing() throws Exception {
        int threads = 16;
        int each = 50;
        int all = threads * each;
        ManifestStore store = new ManifestStore(
                objects,
                CONFIG,
                OPTIONS.toBuilder()
                        .maxRetries(Integer.MAX_VALUE - 1)
                        .baseBackoff(Duration.ofMillis(1))
                        .maxBackoff(Duration.ofMillis(16))
                        .sleeper(ManifestStoreOptions.DEFAULTS.sleeper())
                        .build());
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<?>> writers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int writer = t;
            writers.add(pool.submit(() -> {
                for (int i = 0; i < each; i++) {
                    store.update(SCHEMA, addBare(writer + "/" + i));
                }
            }));
        }
        for (Future<?> writer : writers) {
            writer.get();
        }
        pool.shutdown();

        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(new HashSet<>(keysOf(manifest))).hasSize(all);
        assertThat(manifest.version()).isEqualTo(all);
        assertThat(manifest.updatedAtMillis()).isEqualTo(NOW + all - 1);
    }

    /** Lists a file of which nothing is known. */
    private static ManifestChange addBare(String key) {
        ManifestEntry bare = new ManifestEntry(
                key, null, null, null, null, null, ManifestEntry.DELTA, null, null, Map.of(), Map.of());
        return change(key, manifest -> {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(bare);
            return manifest.toBuilder().entries(entries).build();
        });
    }

    /** A writer that does not go through the store's numbered calls. */
    private void putByHand(String key) {
        String entries = "{\"path\": \"" + key + "\"}";
        objects.put(MANIFEST_KEY, utf8("{\"schema_id\": 7, \"delta\": [" + entries + "]}"));
    }

    private String stored() {
        return new String(objects.get(MANIFEST_KEY).content(), UTF_8);
    }
}
