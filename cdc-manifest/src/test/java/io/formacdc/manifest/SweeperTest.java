package io.formacdc.manifest;

import static io.formacdc.manifest.Entries.baseKey;
import static io.formacdc.manifest.Manifests.CONFIG;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.NOW;
import static io.formacdc.manifest.Manifests.OPTIONS;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.contents;
import static io.formacdc.manifest.Manifests.flushKey;
import static io.formacdc.manifest.Manifests.flushed;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.merge;
import static io.formacdc.manifest.Manifests.utf8;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileLog.Appender;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.manifest.SweepReport.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SweeperTest {
    private static final Duration LATER = SweepOptions.DEFAULTS.grace().plusSeconds(10);

    private final SettableClock clock = new SettableClock();
    private final MemoryObjectStore objects = new MemoryObjectStore();
    private final ManifestStore manifests =
            new ManifestStore(objects, CONFIG, OPTIONS.toBuilder().clock(clock).build());
    private final ManifestFileLog log = new ManifestFileLog(manifests);
    private final Sweeper sweeper = new Sweeper(objects, manifests, "data", SweepOptions.DEFAULTS, clock);

    @BeforeEach
    void oneFileIsListed() {
        objects.put(flushKey(1), utf8("1"));
        log.open(SCHEMA).append(flushed(1));
        clock.now = Instant.now(); // of the objects too
    }

    @Test
    void anOrphanGoesAfterTwoSightingsMoreThanTheGraceApart() {
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);
        clock.pass(SweepOptions.DEFAULTS.grace());
        sweeper.sweep(SCHEMA);
        assertThat(objects.keys()).contains(flushKey(2));
        clock.pass(Duration.ofMillis(1));

        SweepReport report = sweeper.sweep(SCHEMA);

        assertThat(report.deleted())
                .singleElement()
                .satisfies(f -> assertThat(f.key()).isEqualTo(flushKey(2)));
        assertThat(objects.keys()).contains(flushKey(1)).doesNotContain(flushKey(2));
        assertThat(manifests.load(SCHEMA).manifest().orphans()).isEmpty();
    }

    @Test
    void sightingsOutliveTheProcess() {
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);
        clock.pass(LATER);

        new Sweeper(objects, manifests, "data", SweepOptions.DEFAULTS, clock).sweep(SCHEMA);

        assertThat(objects.keys()).doesNotContain(flushKey(2));
    }

    @Test
    void anObjectThatIsOnItsWayIsLeftInPeace() {
        objects.put(flushKey(2), utf8("2"));
        objects.put("data/7/_tmp/" + flushKey(3).substring(7), utf8("3"));
        long version = manifests.load(SCHEMA).manifest().version();

        assertThat(sweeper.sweep(SCHEMA).findings()).isEmpty();
        assertThat(manifests.load(SCHEMA).manifest().version()).isEqualTo(version);
    }

    /** Without the sighting in the manifest, this append would list an object that is gone a moment later. */
    @Test
    void aWriterThatComesAfterTheSightingIsRefused() {
        Appender appender = log.open(SCHEMA);
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);

        assertThatThrownBy(() -> appender.append(flushed(2)))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("orphan");
        assertThat(keysOf(manifests.load(SCHEMA).manifest())).containsExactly(flushKey(1));
    }

    /** The sighting is forgotten with the object; then the object itself is asked for. */
    @Test
    void aWriterThatComesAfterTheDeletionIsRefused() {
        Appender appender = log.open(SCHEMA);
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);

        assertThatThrownBy(() -> appender.append(flushed(2)))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining(flushKey(2));
        assertThat(keysOf(manifests.load(SCHEMA).manifest())).containsExactly(flushKey(1));
    }

    @Test
    void anObjectListedWhileTheSweepLooksIsNoOrphan() {
        Appender appender = log.open(SCHEMA);
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        objects.beforeCall(1, () -> appender.append(flushed(2)));

        sweeper.sweep(SCHEMA);

        Manifest manifest = manifests.load(SCHEMA).manifest();
        assertThat(manifest.orphans()).isEmpty();
        assertThat(keysOf(manifest)).containsExactly(flushKey(1), flushKey(2));
    }

    @Test
    void aRetiredFileGoesAfterTheGrace() {
        objects.put(baseKey(1), utf8("b"));
        manifests.update(SCHEMA, merge(List.of(flushKey(1)), baseKey(1)));
        clock.now = Instant.ofEpochMilli(NOW).plus(SweepOptions.DEFAULTS.grace());
        assertThat(sweeper.sweep(SCHEMA).deleted()).isEmpty();
        clock.pass(Duration.ofMillis(1));
        assertThat(sweeper.plan(SCHEMA).deleted()).hasSize(1);
        clock.now = Instant.now().plus(LATER); // old enough for an orphan too

        assertThat(sweeper.sweep(SCHEMA).findings())
                .singleElement()
                .satisfies(f -> assertThat(f.kind()).isEqualTo(SweepReport.Kind.RETIRED));

        assertThat(objects.keys()).doesNotContain(flushKey(1)).contains(baseKey(1));
        assertThat(manifests.load(SCHEMA).manifest().retired()).isEmpty();
    }

    @Test
    void aStagedObjectGoesAfterADay() {
        String staged = "data/7/_tmp/" + flushKey(3).substring(7);
        objects.put(staged, utf8("3"));
        clock.pass(SweepOptions.DEFAULTS.stagedGrace().minusMinutes(1));
        assertThat(sweeper.sweep(SCHEMA).deleted()).isEmpty();
        clock.pass(Duration.ofMinutes(2));

        sweeper.sweep(SCHEMA);

        assertThat(objects.keys()).doesNotContain(staged);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data/7/notes.txt",
                "data/7/00000000-0000-7000-0000-000000000002.parquet.bak",
                "data/7/old/00000000-0000-7000-0000-000000000002.parquet",
                "data/7/_tmp/report.parquet",
                "data/7/base-1.parquet",
                "data/7/00000000-0000-7000-0000-000000000002_x.parquet",
                "data/77/00000000-0000-7000-0000-000000000002.parquet",
                "other/7/00000000-0000-7000-0000-000000000002.parquet"
            })
    void aKeyThatItDoesNotKnowIsNobodysToDelete(String key) {
        objects.put(key, utf8("x"));
        for (int i = 0; i < 3; i++) {
            clock.pass(Duration.ofDays(30));
            sweeper.sweep(SCHEMA);
        }

        assertThat(objects.keys()).contains(key);
    }

    /** A flush creates a manifest where one was lost, and knows nothing of the base. */
    @ParameterizedTest
    @ValueSource(strings = {"base-U.parquet", "U_U.parquet", "U_U_U.parquet"})
    void noBaseGoesWhereTheManifestListsNone(String name) {
        String base = "data/7/" + name.replace("U", "00000000-0000-7000-0000-000000000002");
        objects.put(base, utf8("b"));
        for (int i = 0; i < 3; i++) {
            clock.pass(Duration.ofDays(30));
            assertThat(sweeper.sweep(SCHEMA).findings()).isEmpty();
        }

        assertThat(objects.keys()).contains(base);
    }

    @Test
    void aFileOfATierThatThisVersionDoesNotKnowIsInUse() {
        objects.put(flushKey(2), utf8("2"));
        String json = new String(objects.peek(MANIFEST_KEY), UTF_8);
        objects.put(
                MANIFEST_KEY,
                utf8(json.substring(0, json.lastIndexOf('}')) + ",\"gamma\": [{\"path\": \"" + flushKey(2) + "\"}]}"));
        for (int i = 0; i < 3; i++) {
            clock.pass(Duration.ofDays(30));
            sweeper.sweep(SCHEMA);
        }

        assertThat(objects.keys()).contains(flushKey(2));
    }

    @Test
    void nothingGoesWithoutAManifest() {
        objects.delete(MANIFEST_KEY);

        assertNothingGoes("no manifest");
    }

    @Test
    void nothingGoesBesideAManifestThatListsNothing() {
        objects.put(MANIFEST_KEY, utf8("{\"schema_id\": 7, \"files\": []}"));

        assertNothingGoes("lists nothing");
    }

    @Test
    void nothingGoesWhereThePrefixIsAnother() {
        objects.put(
                MANIFEST_KEY,
                utf8("{\"schema_id\": 7, \"files\": [{\"tier\": \"base\", \"path\": \"elsewhere/7/x.parquet\"}]}"));

        assertNothingGoes("check s3Prefix");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{\"schema_id\": 8, \"files\": [{\"tier\": \"base\", \"path\": \"data/8/a\"}]}"})
    void nothingGoesBesideAManifestThatCannotBeUsed(String document) {
        objects.put(MANIFEST_KEY, utf8(document));
        List<String> before = objects.keys();
        clock.pass(Duration.ofDays(30));

        assertThatThrownBy(() -> sweeper.sweep(SCHEMA)).isInstanceOf(InvalidManifestException.class);
        assertThat(objects.keys()).isEqualTo(before);
    }

    private void assertNothingGoes(String refusal) {
        objects.put(flushKey(2), utf8("2"));
        List<String> before = objects.keys();
        for (int i = 0; i < 3; i++) {
            clock.pass(Duration.ofDays(30));
            assertThat(sweeper.sweep(SCHEMA).refusal()).contains(refusal);
        }
        assertThat(objects.keys()).isEqualTo(before);
    }

    @Test
    void nothingGoesWhenTheListingBreaksOff() {
        MemoryObjectStore breaking = new MemoryObjectStore() {
            @Override
            public synchronized Stream<ObjectInfo> list(String prefix) {
                return Stream.concat(super.list(prefix), Stream.generate(() -> {
                    throw new ObjectStoreException("the listing broke off");
                }));
            }
        };
        breaking.put(flushKey(1), utf8("1"));
        ManifestStore store = Manifests.store(breaking);
        new ManifestFileLog(store).open(SCHEMA).append(flushed(1));
        breaking.put(baseKey(1), utf8("b"));
        store.update(SCHEMA, merge(List.of(flushKey(1)), baseKey(1)));
        clock.pass(Duration.ofDays(30));

        assertThatThrownBy(() -> new Sweeper(breaking, store, "data", SweepOptions.DEFAULTS, clock).sweep(SCHEMA))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(breaking.keys()).contains(flushKey(1));
    }

    @Test
    void anObjectThatCannotBeDeletedIsTriedAgainAndKeepsNoOtherFromGoing() {
        MemoryObjectStore stubborn = new MemoryObjectStore() {
            @Override
            public synchronized void delete(String key) {
                if (key.equals(flushKey(1))) {
                    throw new ObjectStoreException("denied");
                }
                super.delete(key);
            }
        };
        stubborn.put(flushKey(1), utf8("1"));
        stubborn.put(flushKey(2), utf8("2"));
        stubborn.put(baseKey(1), utf8("b"));
        ManifestStore store = Manifests.store(stubborn);
        ManifestFileLog both = new ManifestFileLog(store);
        Appender appender = both.open(SCHEMA);
        appender.append(flushed(1));
        appender.append(flushed(2));
        store.update(SCHEMA, merge(List.of(flushKey(1), flushKey(2)), baseKey(1)));
        clock.pass(Duration.ofDays(30));

        new Sweeper(stubborn, store, "data", SweepOptions.DEFAULTS, clock).sweep(SCHEMA);

        assertThat(stubborn.keys()).contains(flushKey(1)).doesNotContain(flushKey(2));
        assertThat(store.load(SCHEMA).manifest().retired())
                .singleElement()
                .satisfies(file -> assertThat(file.key()).isEqualTo(flushKey(1)));
    }

    @Test
    void aPlanSaysWhatWouldGoAndTouchesNothing() {
        objects.put(flushKey(2), utf8("2"));
        objects.put(flushKey(3), utf8("3"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);
        clock.pass(LATER);
        String before = new String(objects.peek(MANIFEST_KEY), UTF_8);

        SweepReport plan = sweeper.plan(SCHEMA);

        assertThat(plan.findings()).allSatisfy(f -> assertThat(f.verdict()).isEqualTo(Verdict.DELETE));
        assertThat(plan.explain()).contains("2 of 2 go").contains(flushKey(3)).contains("not listed");
        assertThat(objects.keys()).contains(flushKey(2), flushKey(3));
        assertThat(new String(objects.peek(MANIFEST_KEY), UTF_8)).isEqualTo(before);
    }

    @Test
    void aCrashBetweenDeletionAndSaveIsMadeGoodByTheNextSweep() {
        objects.put(flushKey(2), utf8("2"));
        clock.pass(LATER);
        sweeper.sweep(SCHEMA);
        clock.pass(LATER);
        objects.delete(flushKey(2)); // all that a sweep did before it died

        sweeper.sweep(SCHEMA);

        assertThat(manifests.load(SCHEMA).manifest().orphans()).isEmpty();
        assertThat(manifests.load(SCHEMA).manifest().delta())
                .singleElement()
                .satisfies(e -> assertThat(e.checksum()).isEqualTo(contents().checksum()));
    }

    private static final class SettableClock extends Clock {
        private Instant now = Instant.ofEpochMilli(NOW);

        void pass(Duration time) {
            now = now.plus(time);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
