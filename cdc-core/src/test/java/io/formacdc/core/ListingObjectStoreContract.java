package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.ObjectStore.ObjectInfo;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What every {@link ObjectStore} that can list must do. */
public abstract class ListingObjectStoreContract extends ObjectStoreContract {
    @Test
    void aListingHoldsExactlyWhatStartsWithThePrefix() {
        Stream.of("list/a", "list/b/c", "list/ba", "lisp/a", "list2/a").forEach(name -> put(key(name), name));
        assertThat(keysUnder("list/")).containsExactly(key("list/a"), key("list/b/c"), key("list/ba"));
        assertThat(keysUnder("list/b")).containsExactly(key("list/b/c"), key("list/ba"));
        assertThat(keysUnder("list")).containsExactly(key("list/a"), key("list/b/c"), key("list/ba"), key("list2/a"));
        assertThat(keysUnder("nothing/here")).isEmpty();
    }

    @Test
    void aListedObjectIsAsItsHeadSays() {
        put(key("list/a"), "value");
        assertThat(store().list(key("list/"))).singleElement().satisfies(listed -> {
            ObjectInfo head = store().head(key("list/a"));
            assertThat(listed.key()).isEqualTo(head.key());
            assertThat(listed.sizeBytes()).isEqualTo(5).isEqualTo(head.sizeBytes());
            assertThat(listed.etag()).isEqualTo(head.etag());
            assertThat(listed.lastModified().getEpochSecond())
                    .isEqualTo(head.lastModified().getEpochSecond());
        });
    }

    @Test
    void unusualKeysAreListedAsTheyAre() {
        List<String> keys = Stream.of("Zürich", "a b", "a%20b", "a+b", "a=b&c", "quote\"d", "東京/大阪")
                .map(name -> key("list/" + name))
                .toList();
        keys.forEach(key -> put(key, "value"));
        assertThat(keysUnder("list/")).containsExactlyElementsOf(keys);
        assertThat(keysUnder("list/a%")).containsExactly(key("list/a%20b"));
        assertThat(keysUnder("list/東")).containsExactly(key("list/東京/大阪"));
    }

    @Test
    void aListingGoesOnBeyondAPageInKeyOrder() {
        List<String> keys = IntStream.range(0, 1_005)
                .mapToObj(i -> key("list/%04d".formatted(i)))
                .toList();
        keys.forEach(key -> store().putIfAbsent(key, new byte[] {1}));
        assertThat(keysUnder("list/")).containsExactlyElementsOf(keys);
        assertThat(store().list(key("list/")).limit(3).map(ObjectInfo::key))
                .containsExactlyElementsOf(keys.subList(0, 3));
    }

    @Test
    void aListingOfAMissingBucketFails() {
        ObjectStore lost = storeWithoutBucket();
        assertThatThrownBy(() -> lost.list(key("list/")).toList())
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("missing bucket");
    }

    private List<String> keysUnder(String name) {
        return store().list(key(name)).map(ObjectInfo::key).toList();
    }
}
