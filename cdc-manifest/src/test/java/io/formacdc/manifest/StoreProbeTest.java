package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.CONFIG;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.OPTIONS;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.add;
import static io.formacdc.manifest.Manifests.store;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Exchanger;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StoreProbeTest {
    @Test
    void anHonestStoreIsProvenOnceAndCleanedUp() {
        CountingStore objects = new CountingStore();

        store(objects).update(SCHEMA, add("delta", "a"));
        int probing = objects.probeWrites.get();
        store(objects).update(SCHEMA, add("delta", "b"));
        store(objects).update(8, add("delta", "a"));

        assertThat(probing).isGreaterThan(20);
        assertThat(objects.probeWrites).hasValue(probing);
        assertThat(objects.keys()).containsExactly(MANIFEST_KEY, "root/manifest/8.json");
    }

    @Test
    void probeObjectsLieBesideTheManifestAndAreUniquePerProbe() {
        CountingStore first = new CountingStore();
        CountingStore second = new CountingStore();

        store(first).update(SCHEMA, add("delta", "a"));
        store(second).update(SCHEMA, add("delta", "a"));

        assertThat(first.probeKeys).allMatch(key -> key.startsWith(MANIFEST_KEY + ".probe-"));
        assertThat(first.probeKeys).doesNotContainAnyElementsOf(second.probeKeys);
    }

    @Test
    void readingProbesNothing() {
        CountingStore objects = new CountingStore();

        store(objects).load(SCHEMA);
        new ManifestFileLog(store(objects)).open(SCHEMA);

        assertThat(objects.probeWrites).hasValue(0);
    }

    @Test
    void aStoreThatCreatesOverAnObjectIsRefused() {
        refused(
                new MemoryObjectStore() {
                    @Override
                    public String putIfAbsent(String key, byte[] content) {
                        return put(key, content);
                    }
                },
                "an object was created where one was");
    }

    @Test
    void aStoreThatIgnoresEtagsIsRefused() {
        refused(
                new MemoryObjectStore() {
                    @Override
                    public String putIfMatch(String key, byte[] content, String etag) {
                        return put(key, content);
                    }
                },
                "an object was replaced on an etag that it no longer had");
    }

    @Test
    void aStoreThatRefusesEveryEtagIsRefused() {
        refused(
                new MemoryObjectStore() {
                    @Override
                    public String putIfMatch(String key, byte[] content, String etag) {
                        throw new PreconditionFailedException("never");
                    }
                },
                "an object could not be replaced on the etag that it had");
    }

    @Test
    void aStoreThatWritesWhatItRefusesIsRefused() {
        refused(
                new MemoryObjectStore() {
                    @Override
                    public String putIfMatch(String key, byte[] content, String etag) {
                        try {
                            return super.putIfMatch(key, content, etag);
                        } catch (PreconditionFailedException e) {
                            put(key, content);
                            throw e;
                        }
                    }
                },
                "a write that was refused took effect");
    }

    @Test
    void aStoreThatChecksAndThenCreatesIsRefusedByTheContest() {
        refused(
                new MemoryObjectStore() {
                    private final Exchanger<Boolean> meeting = new Exchanger<>();

                    @Override
                    public String putIfAbsent(String key, byte[] content) {
                        if (keys().contains(key)) {
                            throw new PreconditionFailedException("there is one");
                        }
                        meetAnother(meeting);
                        return put(key, content);
                    }
                },
                "creations of one object at once succeeded");
    }

    @Test
    void aStoreThatChecksAndThenReplacesIsRefusedByTheContest() {
        refused(
                new MemoryObjectStore() {
                    private final Exchanger<Boolean> meeting = new Exchanger<>();

                    @Override
                    public String putIfMatch(String key, byte[] content, String etag) {
                        if (!etag.equals(head(key).etag())) {
                            throw new PreconditionFailedException("it has another");
                        }
                        meetAnother(meeting);
                        return put(key, content);
                    }
                },
                "replacements of one object at once succeeded on one etag");
    }

    @Test
    void aStoreThatLosesTheWinnerIsRefused() {
        refused(
                new MemoryObjectStore() {
                    @Override
                    public String putIfAbsent(String key, byte[] content) {
                        return super.putIfAbsent(key, new byte[0]);
                    }
                },
                "the one that succeeded was lost");
    }

    @Test
    void aSecondSendingIsNotHeldAgainstAStore() {
        MemoryObjectStore objects = new MemoryObjectStore() {
            private final Set<String> sent = ConcurrentHashMap.newKeySet();

            @Override
            public String putIfAbsent(String key, byte[] content) {
                return twice(key, super.putIfAbsent(key, content));
            }

            @Override
            public String putIfMatch(String key, byte[] content, String etag) {
                return twice(key + etag, super.putIfMatch(key, content, etag));
            }

            private String twice(String write, String etag) {
                if (sent.add(write)) {
                    throw new PreconditionFailedException("it was there when the second sending came");
                }
                return etag;
            }
        };

        store(objects).update(SCHEMA, add("delta", "a"));

        assertThat(objects.keys()).containsExactly(MANIFEST_KEY);
    }

    @Test
    void aProbeThatFailsIsTriedAgainByTheNextSave() {
        AtomicInteger failures = new AtomicInteger(1);
        MemoryObjectStore objects = new MemoryObjectStore() {
            @Override
            public String putIfMatch(String key, byte[] content, String etag) {
                if (failures.getAndDecrement() > 0) {
                    throw new ObjectStoreException("HTTP 503");
                }
                return super.putIfMatch(key, content, etag);
            }
        };

        assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", "a")))
                .isInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("could not find out")
                .hasMessageContaining("HTTP 503");
        assertThat(objects.keys()).isEmpty();
        store(objects).update(SCHEMA, add("delta", "a"));
        assertThat(objects.keys()).containsExactly(MANIFEST_KEY);
    }

    @Test
    void aStoreWhoseProbeObjectsStayIsProvenStill() {
        MemoryObjectStore objects = new MemoryObjectStore() {
            @Override
            public synchronized void delete(String key) {
                throw new ObjectStoreException("access denied");
            }
        };

        store(objects).update(SCHEMA, add("delta", "a"));

        assertThat(objects.keys()).contains(MANIFEST_KEY).hasSizeGreaterThan(1);
    }

    @Test
    void anInterruptEndsTheProbeAndItsThreads() {
        MemoryObjectStore objects = new MemoryObjectStore();
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", "a")))
                .isInstanceOf(CdcInterruptedException.class);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(objects.keys()).isEmpty();
    }

    @Test
    void aSingleWriterStoreIsTakenAsItIs() {
        MemoryObjectStore objects = new MemoryObjectStore() {
            @Override
            public String putIfMatch(String key, byte[] content, String etag) {
                return put(key, content);
            }
        };
        ManifestStore trusting = new ManifestStore(
                objects, CONFIG, OPTIONS.toBuilder().singleWriterStore(true).build());

        trusting.update(SCHEMA, add("delta", "a"));
        trusting.update(SCHEMA, add("delta", "b"));

        assertThat(trusting.load(SCHEMA).manifest().delta()).hasSize(2);
    }

    private static void refused(MemoryObjectStore objects, String seen) {
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> store(objects).update(SCHEMA, add("delta", "a")))
                    .isInstanceOf(ConditionalWritesUnsupportedException.class)
                    .hasMessageContaining(seen)
                    .hasMessageContaining("Use a store with conditional writes")
                    .hasMessageContaining("singleWriterStore(true)");
            assertThat(objects.keys()).isEmpty();
        }
    }

    /** Lets two threads that have both checked go on together; one that is alone goes on after a while. */
    private static void meetAnother(Exchanger<Boolean> meeting) {
        try {
            meeting.exchange(true, 200, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // alone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class CountingStore extends MemoryObjectStore {
        private final AtomicInteger probeWrites = new AtomicInteger();
        private final Set<String> probeKeys = ConcurrentHashMap.newKeySet();

        @Override
        public String putIfAbsent(String key, byte[] content) {
            count(key);
            return super.putIfAbsent(key, content);
        }

        @Override
        public String putIfMatch(String key, byte[] content, String etag) {
            count(key);
            return super.putIfMatch(key, content, etag);
        }

        private void count(String key) {
            if (key.contains(".probe-")) {
                probeWrites.incrementAndGet();
                probeKeys.add(key);
            }
        }
    }
}
