package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.Merger;
import io.formacdc.core.ObjectStore;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.DirectoryObjectStore;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where a compaction finds its manifests and files: in the bucket, or in a folder that is a copy of it. */
record CompactionTarget(ObjectStore store, ManifestStore manifests) {
    private static final String S3 = "s3://";

    /** @param bucketStore of the bucket of {@code config} */
    static CompactionTarget of(CdcConfig config, CompactionConfig compaction, ObjectStore bucketStore) {
        return of(config, compaction, bucketStore, CdcListener.NONE);
    }

    /** @param listener told of the manifests */
    static CompactionTarget of(
            CdcConfig config, CompactionConfig compaction, ObjectStore bucketStore, CdcListener listener) {
        ManifestStoreOptions options = ManifestStoreOptions.of(config, compaction).toBuilder()
                .listener(listener)
                .build();
        String path = compaction.manifestPath();
        if (path.isEmpty()) {
            return new CompactionTarget(bucketStore, manifests(config, bucketStore, options));
        }
        if (path.startsWith("/") || path.startsWith("file:")) {
            return ofFile(path.startsWith("/") ? Path.of(path) : Path.of(URI.create(path)), config, options);
        }
        String ownBucket = S3 + config.s3Bucket() + "/";
        if (path.startsWith(S3) && !path.startsWith(ownBucket)) {
            throw refused(path, "is in another bucket than " + config.s3Bucket());
        }
        String key = path.startsWith(S3) ? path.substring(ownBucket.length()) : path;
        if (key.isEmpty() || key.endsWith("/")) {
            throw refused(path, "names no object");
        }
        return new CompactionTarget(bucketStore, ManifestStore.ofOne(bucketStore, config.s3Bucket(), key, options));
    }

    static ManifestStore manifests(CdcConfig config, ObjectStore store, ManifestStoreOptions options) {
        ManifestConfig manifests = ManifestConfig.of(config)
                .orElseThrow(() -> new InvalidConfigException(
                        List.of("without manifests nothing says which files are in use; set manifestPrefix or"
                                + " manifestTemplate")));
        return new ManifestStore(store, manifests, options);
    }

    /** The folder that stands for the bucket is the nearest one in which every listed file is at its key. */
    private static CompactionTarget ofFile(Path file, CdcConfig config, ManifestStoreOptions options) {
        if (!Files.isRegularFile(file)) {
            throw refused(file.toString(), "is no file");
        }
        Path manifestFile = file.toAbsolutePath().normalize();
        for (Path folder = manifestFile.getParent(); folder != null; folder = folder.getParent()) {
            ObjectStore store = new DirectoryObjectStore(folder);
            String key = folder.relativize(manifestFile).toString();
            ManifestStore manifests = ManifestStore.ofOne(store, config.s3Bucket(), key, options);
            if (holdsAll(folder, manifests.load(manifests.schemaIds().get(0)).manifest())) {
                return new CompactionTarget(store, manifests);
            }
        }
        throw refused(file.toString(), "lists files that are in none of the folders above it");
    }

    private static boolean holdsAll(Path folder, Manifest manifest) {
        return manifest.entries().stream().allMatch(entry -> Files.isRegularFile(folder.resolve(entry.key())));
    }

    private static InvalidConfigException refused(String path, String problem) {
        return new InvalidConfigException(List.of("manifestPath \"" + path + "\" " + problem));
    }

    Compactor.Ports ports(Merger merger) {
        return new Compactor.Ports(store, manifests, merger);
    }
}
