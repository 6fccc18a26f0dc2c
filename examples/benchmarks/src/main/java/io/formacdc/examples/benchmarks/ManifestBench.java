package io.formacdc.examples.benchmarks;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileLog;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.UuidV7;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestFileLog;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** An append to a manifest that lists many files. */
record ManifestBench(String name, Duration latency, double mark) implements Bench {
    private static final int MANY = 10_000;
    private static final int FEW = 100;
    private static final int APPENDS = 5;

    static ManifestBench withoutLatency() {
        return new ManifestBench("manifest", Duration.ZERO, 25);
    }

    /** As if the store were over the network. */
    static ManifestBench withLatency() {
        return new ManifestBench("manifest-remote", Duration.ofMillis(20), 0);
    }

    @Override
    public String subject() {
        return "five appends to a manifest of 10,000 files"
                + (latency.isZero() ? "" : ", " + latency.toMillis() + " ms an object request");
    }

    @Override
    public String reference() {
        return "five appends to a manifest of 100 files";
    }

    @Override
    public List<Figure> run(Stage stage) throws Exception {
        int files = stage.settings().scaled(MANY);
        ManifestStore many = manifestOf(stage, files);
        ManifestStore few = manifestOf(stage, FEW);
        Alternation.Medians medians = new Alternation(3, 9).measure(() -> append(many), () -> append(few));
        return List.of(Figure.of(name, mark, medians, files));
    }

    private ManifestStore manifestOf(Stage stage, int files) throws IOException {
        ManifestStore store = new ManifestStore(
                new S3ObjectStore(new FolderS3(stage.newFolder(), latency), "benchmark"),
                new ManifestConfig("benchmark", "lake", ""),
                ManifestStoreOptions.of(CdcConfig.builder().build().withDefaults()));
        store.update(Workload.SCHEMA_ID, new Filling(files));
        return store;
    }

    private static void append(ManifestStore store) {
        FileLog.Appender appender = new ManifestFileLog(store).open(Workload.SCHEMA_ID);
        for (int i = 0; i < APPENDS; i++) {
            appender.append(file());
        }
    }

    private static FlushedFile file() {
        Map<String, String> columns = new java.util.LinkedHashMap<>();
        for (int i = 0; i < 30; i++) {
            columns.put("column_" + i, "VARCHAR");
        }
        FileContents contents = new FileContents(
                10_000,
                1_000_000,
                "sha256:" + "0".repeat(64),
                new FileContents.RowIdRange(new UUID(0, 0), new UUID(-1, -1)),
                new FileContents.VersionRange(1, 2),
                columns);
        return new FlushedFile("data/" + Workload.SCHEMA_ID + "/" + UuidV7.next() + ".parquet", contents);
    }

    private record Filling(List<ManifestEntry> files) implements ManifestChange {
        Filling(int count) {
            this(new ArrayList<>());
            for (int i = 0; i < count; i++) {
                FlushedFile file = file();
                files.add(ManifestEntry.delta(file.key(), file.contents()));
            }
        }

        @Override
        public String key() {
            return files.get(0).key();
        }

        @Override
        public Manifest applyTo(Manifest manifest) {
            return manifest.toBuilder().entries(files).build();
        }
    }
}
