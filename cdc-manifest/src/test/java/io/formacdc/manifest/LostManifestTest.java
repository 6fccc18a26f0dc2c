package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.flushKey;
import static io.formacdc.manifest.Manifests.flushed;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.store;
import static io.formacdc.manifest.Manifests.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.FileLog.Appender;
import io.formacdc.core.MemoryObjectStore;
import io.formacdc.core.ObjectStoreException;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A flush that begins a manifest where files of an older one lie says so, and goes on. */
class LostManifestTest {
    private static final String UUIDV7 = new UUID(0x7000L, 9).toString();

    private int lists;
    private boolean canList = true;
    private final MemoryObjectStore objects = new MemoryObjectStore() {
        @Override
        public synchronized Stream<ObjectInfo> list(String prefix) {
            lists++;
            if (!canList) {
                throw new ObjectStoreException("the injected client cannot list");
            }
            return super.list(prefix);
        }
    };
    private final ManifestStore manifests = store(objects);

    @ParameterizedTest
    @ValueSource(strings = {"base-U", "delta-U", "U_U", "U_U_U"})
    void aFileThatOnlyAnOlderManifestCanHaveListedIsNamedOnce(String shape) {
        String key = "data/7/" + shape.replace("U", UUIDV7) + ".parquet";
        objects.put(key, utf8("b"));
        try (LogLines log = new LogLines(LostManifest.class)) {
            flush(2);
            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .contains("schema 7", key, "put it back, or export the base anew");
        }
        assertThat(lists).isEqualTo(1);
        assertThat(keysOf(manifests.load(SCHEMA).manifest())).containsExactly(flushKey(1), flushKey(2));
    }

    @Test
    void whatAFlushHasWrittenBeforeIsNamedToo() {
        objects.put(flushKey(8), utf8("listed once, or an orphan"));
        try (LogLines log = new LogLines(LostManifest.class)) {
            flush(2);
            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .contains("schema 7", flushKey(8), "a reconciliation tells");
        }
    }

    @Test
    void whatNobodyCanHaveListedIsNoTrace() {
        objects.put("data/7/_tmp/" + UUIDV7 + ".parquet", utf8("staged"));
        objects.put("data/77/base-" + UUIDV7 + ".parquet", utf8("of another schema"));
        objects.put("data/7/base-1.parquet", utf8("a look-alike"));
        try (LogLines log = new LogLines(LostManifest.class)) {
            flush(2);
            assertThat(log.warnings()).isEmpty();
        }
    }

    @Test
    void whereAManifestIsNothingIsAsked() {
        flush(1);
        lists = 0;
        objects.put("data/7/base-" + UUIDV7 + ".parquet", utf8("an orphan"));
        objects.put(flushKey(2), utf8("2"));
        log().append(flushed(2));
        assertThat(lists).isZero();
    }

    @Test
    void noMoreThanOnePageIsLookedAt() {
        for (int i = 0; i < 1000; i++) {
            objects.put("data/7/0-" + (1000 + i), utf8("x"));
        }
        objects.put("data/7/base-" + UUIDV7 + ".parquet", utf8("b"));
        assertThat(LostManifest.trace(objects, SCHEMA, flushKey(1))).isEmpty();
        objects.delete("data/7/0-1000");
        assertThat(LostManifest.trace(objects, SCHEMA, flushKey(1))).isPresent();
    }

    @Test
    void aClientThatCannotListStillFlushes() {
        canList = false;
        flush(1);
        assertThat(lists).isEqualTo(1);
        assertThat(keysOf(manifests.load(SCHEMA).manifest())).containsExactly(flushKey(1));
    }

    /** One pass of so many chunks. */
    private void flush(int chunks) {
        Appender appender = log();
        for (int i = 1; i <= chunks; i++) {
            objects.put(flushKey(i), utf8("x"));
            appender.append(flushed(i));
        }
    }

    private Appender log() {
        return new ManifestFileLog(manifests).open(SCHEMA);
    }
}
