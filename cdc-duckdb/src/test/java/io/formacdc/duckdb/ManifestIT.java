package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.FileContents;
import io.formacdc.core.ManifestConfig;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ObjectStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Manifests in the real S3 server. */
final class ManifestIT {
    private static final int THREADS = 16;
    private static final int APPENDS = 25;

    private record Append(String key) implements ManifestChange {
        @Override
        public Manifest applyTo(Manifest manifest) {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(ManifestEntry.delta(key, new FileContents(1, 1, "sha256:", null, null, Map.of())));
            return manifest.toBuilder()
                    .entries(entries)
                    .flushSeq(manifest.flushSeq() + 1)
                    .build();
        }
    }

    @Test
    @Timeout(120)
    void appendsOfSixteenThreadsAreAllListedOnce() throws Exception {
        try (TestHost host = new TestHost()) {
            ManifestConfig config = ManifestConfig.of(host.config().build()).orElseThrow();
            ManifestStoreOptions options = ManifestStoreOptions.builder()
                    .maxRetries(1_000)
                    .baseBackoff(Duration.ofMillis(1))
                    .maxBackoff(Duration.ofMillis(64))
                    .build();
            List<String> keys = new ArrayList<>();
            List<Future<?>> writers = new ArrayList<>();
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            for (int thread = 0; thread < THREADS; thread++) {
                List<String> own = new ArrayList<>();
                for (int i = 0; i < APPENDS; i++) {
                    own.add("7/" + thread + "-" + i + ".parquet");
                }
                keys.addAll(own);
                // A store each, as in processes of their own.
                ManifestStore store = new ManifestStore(
                        new S3ObjectStore(host.client, TestHost.s3().bucket()), config, options);
                writers.add(threads.submit(() -> own.forEach(key -> store.update(7, new Append(key)))));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
            threads.shutdown();

            Manifest manifest = new ManifestStore(
                            new S3ObjectStore(host.client, TestHost.s3().bucket()), config, options)
                    .load(7)
                    .manifest();
            assertThat(manifest.entries()).extracting(ManifestEntry::path).containsExactlyInAnyOrderElementsOf(keys);
            assertThat(manifest.version()).isEqualTo(keys.size());
            assertThat(manifest.flushSeq()).isEqualTo(keys.size());
        }
    }
}
