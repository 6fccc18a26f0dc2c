package io.formacdc.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.ObjectStore.StoredObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link ObjectStore} must do, listing apart. Each test keeps to a prefix of its own. */
public abstract class ObjectStoreContract {
    private static final int THREADS = 16;
    private static final int INCREMENTS = 50;

    private final String prefix = "contract/" + UUID.randomUUID() + "/";

    @TempDir
    Path folder;

    /** A store on a bucket that is there; any number of calls give the same objects. */
    protected abstract ObjectStore store();

    /** A store on a bucket that is not there. */
    protected abstract ObjectStore storeWithoutBucket();

    /** A key that no other test uses. */
    protected final String key(String name) {
        return prefix + name;
    }

    protected final String put(String key, String content) {
        return store().put(key, file(content.getBytes(UTF_8)));
    }

    protected final String text(String key) {
        return new String(store().get(key).content(), UTF_8);
    }

    @Test
    void getReturnsContentAndEtagOfThePut() {
        String etag = put(key("a"), "value");
        StoredObject object = store().get(key("a"));
        assertThat(object.content()).isEqualTo("value".getBytes(UTF_8));
        assertThat(object.etag()).isEqualTo(etag).isNotBlank();
    }

    @Test
    void downloadReplacesTheFile(@TempDir Path folder) throws IOException {
        put(key("a"), "value");
        Path file = Files.writeString(folder.resolve("file"), "what was there before");
        store().download(key("a"), file);
        assertThat(file).hasContent("value");
    }

    @Test
    void downloadOfAnAbsentObjectSaysSo(@TempDir Path folder) {
        assertThatThrownBy(() -> store().download(key("absent"), folder.resolve("file")))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining(key("absent"));
    }

    @Test
    void putReplacesWhateverIsThere() {
        String first = put(key("a"), "longer first value");
        String second = put(key("a"), "second");
        assertThat(text(key("a"))).isEqualTo("second");
        assertThat(second).isNotEqualTo(first);
    }

    @Test
    void anEmptyObjectIsAnObject() {
        String etag = put(key("file"), "");
        store().putIfAbsent(key("bytes"), new byte[0]);
        assertThat(store().get(key("file")).content()).isEmpty();
        assertThat(store().get(key("bytes")).content()).isEmpty();
        assertThat(store().head(key("file")))
                .satisfies(head -> assertThat(head.sizeBytes()).isZero())
                .satisfies(head -> assertThat(head.etag()).isEqualTo(etag));
    }

    @Test
    void twentyMegabytesComeBackUnchanged() {
        byte[] content = new byte[20 << 20];
        new Random(1).nextBytes(content);
        String etag = store().put(key("big"), file(content));
        assertThat(store().head(key("big")).sizeBytes()).isEqualTo(content.length);
        assertThat(store().head(key("big")).etag()).isEqualTo(etag);
        store().copy(key("big"), key("copy"));
        assertThat(store().get(key("copy")).content()).isEqualTo(content);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "two words",
                "a+b",
                "100%",
                "a%20b",
                "a%2Fb",
                "Zürich",
                "東京/大阪",
                "a=b&c=d",
                "what?",
                "x#y",
                "semi;colon",
                "it's (here)!",
                "at@sign,comma",
                "tilde~star*",
                "quote\"d",
                "dots..inside",
                ".hidden",
                "co:lon",
                "\uD83D\uDE00"
            })
    void anUnusualKeyIsJustAKey(String name) {
        put(key("plain"), "plain");
        put(key(name), "value");
        assertThat(text(key(name))).isEqualTo("value");
        assertThat(store().head(key(name)).key()).isEqualTo(key(name));
        store().copy(key(name), key("of/" + name));
        assertThat(text(key("of/" + name))).isEqualTo("value");
        String etag = store().get(key(name)).etag();
        store().putIfMatch(key(name), "changed".getBytes(UTF_8), etag);
        assertThat(text(key(name))).isEqualTo("changed");
        store().delete(key(name));
        assertThatThrownBy(() -> store().get(key(name))).isInstanceOf(ObjectNotFoundException.class);
        assertThat(text(key("plain"))).isEqualTo("plain");
    }

    @Test
    void keysThatLookAlikeWhenDecodedAreDifferent() {
        List<String> names = List.of("a b", "a+b", "a%20b", "a%2Bb");
        names.forEach(name -> put(key(name), name));
        assertThat(names).allSatisfy(name -> assertThat(text(key(name))).isEqualTo(name));
    }

    @Test
    void putIfAbsentCreatesOnce() {
        String etag = store().putIfAbsent(key("a"), "first".getBytes(UTF_8));
        assertThatThrownBy(() -> store().putIfAbsent(key("a"), "second".getBytes(UTF_8)))
                .isInstanceOf(PreconditionFailedException.class)
                .hasMessageContaining(key("a"));
        assertThat(text(key("a"))).isEqualTo("first");
        assertThat(store().head(key("a")).etag()).isEqualTo(etag);
    }

    @Test
    void putIfAbsentCreatesAgainAfterADelete() {
        store().putIfAbsent(key("a"), "first".getBytes(UTF_8));
        store().delete(key("a"));
        store().putIfAbsent(key("a"), "second".getBytes(UTF_8));
        assertThat(text(key("a"))).isEqualTo("second");
    }

    @Test
    void putIfMatchReplacesWhatHasTheEtag() {
        String first = put(key("a"), "first");
        String second = store().putIfMatch(key("a"), "second".getBytes(UTF_8), first);
        String third = store().putIfMatch(key("a"), "third".getBytes(UTF_8), second);
        assertThat(text(key("a"))).isEqualTo("third");
        assertThat(store().get(key("a")).etag()).isEqualTo(third);
    }

    @Test
    void theEtagOfAHeadServesToReplace() {
        put(key("a"), "first");
        store().putIfMatch(
                        key("a"),
                        "second".getBytes(UTF_8),
                        Objects.requireNonNull(store().head(key("a")).etag()));
        assertThat(text(key("a"))).isEqualTo("second");
    }

    @Test
    void putIfMatchRefusesAnOldEtag() {
        String first = put(key("a"), "first");
        put(key("a"), "second");
        assertThatThrownBy(() -> store().putIfMatch(key("a"), "third".getBytes(UTF_8), first))
                .isInstanceOf(PreconditionFailedException.class);
        assertThat(text(key("a"))).isEqualTo("second");
    }

    @Test
    void putIfMatchRefusesWhereNothingIs() {
        String etag = put(key("a"), "first");
        store().delete(key("a"));
        assertThatThrownBy(() -> store().putIfMatch(key("a"), "second".getBytes(UTF_8), etag))
                .isInstanceOf(PreconditionFailedException.class);
        assertThatThrownBy(() -> store().get(key("a"))).isInstanceOf(ObjectNotFoundException.class);
    }

    @Test
    void compareAndSwapLosesNoIncrement() throws Exception {
        put(key("counter"), "0");
        int acknowledged = runTogether(() -> {
            int wins = 0;
            while (wins < INCREMENTS) {
                wins += incremented(store(), key("counter")) ? 1 : 0;
            }
            return wins;
        });
        assertThat(acknowledged).isEqualTo(THREADS * INCREMENTS);
        assertThat(text(key("counter"))).isEqualTo("800");
    }

    @Test
    void oneOfManyCreatorsWins() throws Exception {
        for (int round = 0; round < 10; round++) {
            String key = key("created-" + round);
            int winners = runTogether(() -> {
                byte[] mine = UUID.randomUUID().toString().getBytes(UTF_8);
                try {
                    store().putIfAbsent(key, mine);
                } catch (PreconditionFailedException lost) {
                    return 0;
                }
                assertThat(store().get(key).content()).isEqualTo(mine);
                return 1;
            });
            assertThat(winners).isEqualTo(1);
        }
    }

    @Test
    void aReaderSeesTheOldObjectOrTheNewOne() throws Exception {
        Path small = file(new byte[10]);
        Path large = file(new byte[300_000]);
        Map<String, Integer> written = new ConcurrentHashMap<>();
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        written.put(store().put(key("a"), small), 10);
        runTogether(() -> {
            boolean writes = Thread.currentThread().getId() % 4 == 0;
            for (int i = 0; i < 10; i++) {
                if (writes) {
                    boolean isSmall = i % 2 == 0;
                    written.put(store().put(key("a"), isSmall ? small : large), isSmall ? 10 : 300_000);
                } else {
                    StoredObject object = store().get(key("a"));
                    seen.put(object.etag(), object.content().length);
                }
            }
            return 0;
        });
        assertThat(written).containsAllEntriesOf(seen);
    }

    @Test
    void copyReplacesTheTargetAndKeepsTheSource() {
        put(key("source"), "new");
        put(key("target"), "old");
        store().copy(key("source"), key("target"));
        assertThat(text(key("target"))).isEqualTo("new");
        assertThat(text(key("source"))).isEqualTo("new");
    }

    @Test
    void copyOfAnAbsentObjectSaysSoAndLeavesTheTarget() {
        put(key("target"), "old");
        assertThatThrownBy(() -> store().copy(key("absent"), key("target")))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining(key("absent"));
        assertThat(text(key("target"))).isEqualTo("old");
    }

    @Test
    void anAbsentObjectIsNotFound() {
        assertThatThrownBy(() -> store().get(key("absent")))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining(key("absent"));
        assertThatThrownBy(() -> store().head(key("absent")))
                .isInstanceOf(ObjectNotFoundException.class)
                .hasMessageContaining(key("absent"));
    }

    @Test
    void aFolderOfObjectsIsNoObject() {
        put(key("folder/a"), "value");
        assertThatThrownBy(() -> store().get(key("folder"))).isInstanceOf(ObjectNotFoundException.class);
        assertThatThrownBy(() -> store().head(key("folder"))).isInstanceOf(ObjectNotFoundException.class);
        store().delete(key("folder"));
        assertThat(text(key("folder/a"))).isEqualTo("value");
    }

    @Test
    void deleteOfAnAbsentObjectCountsAsDeleted() {
        store().delete(key("absent"));
        put(key("a/b/c"), "value");
        store().delete(key("a/b/c"));
        store().delete(key("a/b/c"));
        assertThatThrownBy(() -> store().get(key("a/b/c"))).isInstanceOf(ObjectNotFoundException.class);
    }

    @Test
    void aKeyMayBecomeAFolderAndBackAgain() {
        put(key("a/b"), "deep");
        store().delete(key("a/b"));
        put(key("a"), "flat");
        store().delete(key("a"));
        put(key("a/b"), "deep again");
        assertThat(text(key("a/b"))).isEqualTo("deep again");
    }

    @Test
    void headKnowsSizeAndTime() {
        Instant before = Instant.now().minus(Duration.ofSeconds(2));
        put(key("a"), "value");
        ObjectInfo head = store().head(key("a"));
        assertThat(head.key()).isEqualTo(key("a"));
        assertThat(head.sizeBytes()).isEqualTo(5);
        assertThat(head.lastModified()).isBetween(before, Instant.now().plusSeconds(2));
    }

    @Test
    void aMissingBucketIsNotAMissingKey() {
        ObjectStore lost = storeWithoutBucket();
        byte[] content = "value".getBytes(UTF_8);
        Map<String, ThrowingCallable> requests = Map.of(
                "get", () -> lost.get(key("a")),
                "head", () -> lost.head(key("a")),
                "put", () -> lost.put(key("a"), file(content)),
                "putIfAbsent", () -> lost.putIfAbsent(key("a"), content),
                "putIfMatch", () -> lost.putIfMatch(key("a"), content, "\"etag\""),
                "copy", () -> lost.copy(key("a"), key("b")),
                "delete", () -> lost.delete(key("a")));
        assertThat(requests)
                .allSatisfy((name, request) -> assertThatThrownBy(request)
                        .as(name)
                        .isExactlyInstanceOf(ObjectStoreException.class)
                        .hasMessageContaining("missing bucket")
                        .hasMessageContaining(key("a")));
    }

    @Test
    void aMissingFileIsNamed() {
        Path absent = folder.resolve("absent.parquet");
        assertThatThrownBy(() -> store().put(key("a"), absent))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining(key("a"))
                .hasMessageContaining("absent.parquet");
        assertThatThrownBy(() -> store().get(key("a"))).isInstanceOf(ObjectNotFoundException.class);
    }

    @Test
    void anInterruptedThreadStopsAndStaysInterrupted() {
        put(key("a"), "value");
        Path file = file("new".getBytes(UTF_8));
        List<ThrowingCallable> requests = List.of(
                () -> store().get(key("a")),
                () -> store().put(key("a"), file),
                () -> store().putIfAbsent(key("b"), new byte[1]));
        assertThat(requests).allSatisfy(request -> {
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(request);
            assertThat(Thread.interrupted()).as("interrupt flag").isTrue();
            assertThat(thrown).isInstanceOf(CdcInterruptedException.class);
        });
        assertThat(text(key("a"))).isEqualTo("value");
    }

    /** Reads, adds one, writes if nobody else has. */
    public static boolean incremented(ObjectStore store, String key) {
        StoredObject counter = store.get(key);
        int next = Integer.parseInt(new String(counter.content(), UTF_8)) + 1;
        try {
            store.putIfMatch(key, String.valueOf(next).getBytes(UTF_8), counter.etag());
            return true;
        } catch (PreconditionFailedException lost) {
            return false;
        }
    }

    private Path file(byte[] content) {
        try {
            return Files.write(Files.createTempFile(folder, "content", ".bin"), content);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Runs the task in all threads at once; returns the sum of what they return. */
    public static int runTogether(Callable<Integer> task) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        CyclicBarrier start = new CyclicBarrier(THREADS);
        try {
            List<Future<Integer>> results = new ArrayList<>();
            IntStream.range(0, THREADS)
                    .forEach(i -> results.add(threads.submit(() -> {
                        start.await();
                        return task.call();
                    })));
            int sum = 0;
            for (Future<Integer> result : results) {
                sum += result.get();
            }
            return sum;
        } finally {
            threads.shutdownNow();
        }
    }
}
