package io.formacdc.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.MemoryObjectStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** What the tests of this module write down often. */
final class Manifests {
    static final int SCHEMA = 7;
    static final String BUCKET = "lake";
    static final ManifestConfig CONFIG = new ManifestConfig(BUCKET, "root", "");
    static final String MANIFEST_KEY = "root/manifest/7.json";
    static final long NOW = 1_790_000_000_000L;

    static final ManifestStoreOptions OPTIONS = ManifestStoreOptions.builder()
            .clock(Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC))
            .sleeper(Manifests::noPause)
            .build();

    private Manifests() {}

    private static void noPause(Duration duration) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    static ManifestStore store(MemoryObjectStore objects) {
        return new ManifestStore(objects, CONFIG, OPTIONS);
    }

    static ManifestStore store(MemoryObjectStore objects, int maxRetries) {
        return new ManifestStore(
                objects, CONFIG, OPTIONS.toBuilder().maxRetries(maxRetries).build());
    }

    /** An empty store that says of every Parquet file that it is there: what is tested is the list alone. */
    static MemoryObjectStore objectsWithAnyFile() {
        return new MemoryObjectStore() {
            @Override
            public synchronized ObjectInfo head(String key) {
                return key.endsWith(".parquet") ? new ObjectInfo(key, 123, "etag", Instant.EPOCH) : super.head(key);
            }
        };
    }

    /** A flushed file of the schema; the same number gives the same key. */
    static FlushedFile flushed(int number) {
        return new FlushedFile(flushKey(number), contents());
    }

    static String flushKey(int number) {
        return CdcPaths.buildDeltaPath("data", SCHEMA, new UUID(0x7000L, number));
    }

    static FileContents contents() {
        return new FileContents(
                10,
                123,
                "sha256:" + "0".repeat(64),
                new FileContents.RowIdRange(new UUID(0, 1), new UUID(-1, 2)),
                new FileContents.VersionRange(1, 9),
                Map.of("row_id", "UUID"));
    }

    /** Lists one more file of a level, without a fence. */
    static ManifestChange add(String level, String key) {
        ManifestEntry entry =
                ManifestEntry.delta(key, contents()).toBuilder().level(level).build();
        return change(key, manifest -> {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(entry);
            return manifest.toBuilder().entries(entries).build();
        });
    }

    /** Takes files off the list, as a compaction does, and lists one in their place. */
    static ManifestChange merge(List<String> sources, String target) {
        return change(target, manifest -> {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            List<RetiredFile> retired = new ArrayList<>(manifest.retired());
            for (String source : sources) {
                if (!entries.removeIf(e -> e.key().equals(source))) {
                    throw new IllegalStateException(source + " is not listed");
                }
                retired.add(RetiredFile.of(source, NOW));
            }
            entries.add(ManifestEntry.base(target, contents()));
            return manifest.toBuilder().entries(entries).retired(retired).build();
        });
    }

    static ManifestChange change(String key, UnaryOperator<Manifest> change) {
        return new ManifestChange() {
            @Override
            public String key() {
                return key;
            }

            @Override
            public Manifest applyTo(Manifest manifest) {
                return change.apply(manifest);
            }
        };
    }

    static List<String> keysOf(Manifest manifest) {
        return manifest.entries().stream().map(ManifestEntry::key).toList();
    }

    static byte[] utf8(String text) {
        return text.getBytes(UTF_8);
    }
}
