package io.formacdc.examples.benchmarks;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.ManifestConfig;
import io.formacdc.duckdb.Cdc;
import io.formacdc.duckdb.LakeView;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * The standard work as files in a folder: a base, and a delta of those rows that were changed later.
 *
 * @param folder the bucket
 */
record LakeOnDisk(CdcConfig config, Path folder) {
    /** What a row of the standard work takes in a file, roughly. */
    private static final int BYTES_OF_A_ROW = 75;

    /**
     * @param megabytes of a base file at most
     * @param changed a condition on {@code entity_main}: which rows were changed after the base was exported
     */
    static LakeOnDisk create(Stage stage, Workload work, int megabytes, String changed) throws Exception {
        LocalPostgres database = stage.database(work);
        Path folder = stage.newFolder();
        FolderS3 store = new FolderS3(folder, Duration.ZERO);
        CdcConfig config = stage.config(database).targetFileSizeMb(megabytes).build();
        Cdc.exportBase(config, store, work.schemaId(), BaseExportOptions.DEFAULTS, Workload.REGISTRY);
        try (Connection connection = database.dataSource().getConnection()) {
            work.makeDirty(connection, changed);
        }
        Cdc.runOnce(config, store, false, Workload.REGISTRY);
        return new LakeOnDisk(config, folder);
    }

    /** So large that the work takes about so many files. */
    static int megabytes(Workload work, int files) {
        return (int) Math.max(1, Math.round((double) work.rows() * BYTES_OF_A_ROW / files / 1_000_000));
    }

    /** Paths of the listed files. */
    List<String> files(int schemaId) {
        return manifest(schemaId).entries().stream()
                .map(entry -> path(entry.key()))
                .toList();
    }

    /** The query of the merge-on-read view. */
    String view(int schemaId) {
        return LakeView.sql(manifest(schemaId), this::path, null);
    }

    private Manifest manifest(int schemaId) {
        S3ObjectStore objects = new S3ObjectStore(new FolderS3(folder, Duration.ZERO), config.s3Bucket());
        return new ManifestStore(objects, ManifestConfig.of(config).orElseThrow(), ManifestStoreOptions.of(config))
                .load(schemaId)
                .manifest();
    }

    private String path(String key) {
        return folder.resolve(key).toString();
    }

    /** The same lake once more, in a folder of its own. */
    LakeOnDisk copyTo(Path target) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = target.resolve(folder.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        return new LakeOnDisk(config, target);
    }
}
