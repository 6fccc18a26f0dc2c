package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.UuidV7;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.manifest.ConditionalWritesUnsupportedException;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3Clients;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ObjectStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;

/** Manifests on a real S3 server. */
class ManifestIT {
    private static final int SCHEMA = 7;
    private static final int THREADS = 16;
    private static final int APPENDS = 25;

    @Test
    void sixteenWritersOfOneManifestLoseNothing() throws Exception {
        try (LocalS3 s3 = LocalS3.start();
                S3Client client = client(s3)) {
            ManifestStore manifests = manifests(new S3ObjectStore(S3FullClient.of(client), s3.bucket()), s3.bucket());
            ExecutorService writers = Executors.newFixedThreadPool(THREADS);
            List<Future<Set<String>>> results = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                results.add(writers.submit(() -> append(manifests)));
            }
            Set<String> acknowledged = new TreeSet<>();
            for (Future<Set<String>> result : results) {
                acknowledged.addAll(result.get());
            }
            writers.shutdown();

            Manifest manifest = manifests.load(SCHEMA).manifest();
            assertThat(manifest.entries())
                    .extracting(ManifestEntry::path)
                    .containsExactlyInAnyOrderElementsOf(acknowledged);
            assertThat(acknowledged).hasSize(THREADS * APPENDS);
            assertThat(manifest.version()).isEqualTo(THREADS * APPENDS);
        }
    }

    @Test
    void aStoreThatLosesUpdatesIsRefusedBeforeAnythingIsSaved() {
        try (LocalS3 s3 = LocalS3.startLossy();
                S3Client client = client(s3)) {
            ObjectStore store = new S3ObjectStore(S3FullClient.of(client), s3.bucket());
            assertThatThrownBy(() -> manifests(store, s3.bucket()).update(SCHEMA, new Append("delta/7/a.parquet")))
                    .isInstanceOf(ConditionalWritesUnsupportedException.class)
                    .hasMessageContaining("singleWriterStore(true)");
            assertThat(store.list("")).isEmpty();
        }
    }

    private static Set<String> append(ManifestStore manifests) {
        Set<String> acknowledged = new TreeSet<>();
        for (int i = 0; i < APPENDS; i++) {
            String key = "delta/7/" + UuidV7.next() + ".parquet";
            manifests.update(SCHEMA, new Append(key));
            acknowledged.add(key);
        }
        return acknowledged;
    }

    private static ManifestStore manifests(ObjectStore store, String bucket) {
        ManifestStoreOptions options = ManifestStoreOptions.builder()
                .maxRetries(1000)
                .baseBackoff(Duration.ofMillis(1))
                .maxBackoff(Duration.ofMillis(50))
                .build();
        return new ManifestStore(store, new ManifestConfig(bucket, "manifests", ""), options);
    }

    private static S3Client client(LocalS3 s3) {
        CdcConfig config = CdcConfig.builder()
                .s3Endpoint(s3.endpoint().toString())
                .s3Region("us-east-1")
                .s3UsePath(true)
                .build();
        return S3Clients.create(config, s3.accessKey(), s3.secretKey());
    }

    private record Append(String key) implements ManifestChange {
        @Override
        public Manifest applyTo(Manifest manifest) {
            List<ManifestEntry> entries = new ArrayList<>(manifest.entries());
            entries.add(new ManifestEntry(
                    key, null, null, null, null, 1L, ManifestEntry.DELTA, 1L, null, Map.of(), Map.of()));
            return manifest.toBuilder().entries(entries).build();
        }
    }
}
