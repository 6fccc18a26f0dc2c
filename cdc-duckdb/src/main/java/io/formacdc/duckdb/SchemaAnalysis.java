package io.formacdc.duckdb;

import io.formacdc.core.Amounts;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.UuidV7;
import io.formacdc.duckdb.FileScan.EntityState;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.duckdb.RepairReport.UnlistedFile;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.StoredManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One look at a schema, against one state of its manifest. Reads only. What it says holds if the manifest is still the
 * same when it is done. Listed files are read one after the other, so that the disk holds one of them and the unlisted
 * deltas. Confined to a thread.
 */
final class SchemaAnalysis {
    private final ObjectStore store;
    private final String prefix;
    private final String manifestKey;
    private final StoredManifest loaded;
    private final Manifest manifest;
    private final FileScan scan;
    private final UnlistedObjects unlisted;

    private final List<Finding> findings = new ArrayList<>();
    private final BaseTier baseTier = new BaseTier();
    private @Nullable String gap;

    /** @param loaded before anything else is looked at */
    SchemaAnalysis(ObjectStore store, String prefix, String manifestKey, StoredManifest loaded, FileScan scan) {
        this.store = store;
        this.prefix = prefix;
        this.manifestKey = manifestKey;
        this.loaded = loaded;
        this.manifest = loaded.manifest();
        this.scan = scan;
        this.unlisted = new UnlistedObjects(store, prefix, manifest, scan);
    }

    /** @param states what PostgreSQL says of rows, at one instant */
    void run(Depth depth, Function<List<UUID>, List<EntityState>> states) {
        Map<String, ObjectInfo> objects = new ListedObjects(store, prefix).find(manifest);
        objects.remove(manifestKey);
        String folder = CdcPaths.schemaPrefix(prefix, manifest.schemaId());
        if (!loaded.exists()) {
            addAbsence(folder, objects.size());
            return;
        }
        if (Stream.concat(objects.keySet().stream(), manifest.entries().stream().map(ManifestEntry::key))
                .noneMatch(key -> key.startsWith(folder))) {
            add(
                    manifestKey,
                    Kind.NOTHING_THERE,
                    "there is no object under \"" + folder + "\", listed or not",
                    "check s3Prefix");
        }
        unlisted.check(objects.keySet(), depth);
        for (ManifestEntry entry : manifest.entries()) {
            checkListed(entry, objects.get(entry.key()), depth);
        }
        checkBaseTier();
        if (unlisted.hasRows()) {
            unlisted.judge(states);
        }
        findings.addAll(unlisted.findings());
        findings.sort(Comparator.comparing(Finding::key).thenComparing(Finding::kind));
    }

    private void addAbsence(String folder, int objects) {
        if (objects == 0) {
            add(
                    manifestKey,
                    Kind.NOTHING_THERE,
                    "there is no manifest, and no object under \"" + folder + "\"",
                    "check manifestPrefix, manifestTemplate and s3Prefix, unless nothing was ever flushed");
        } else {
            add(
                    manifestKey,
                    Kind.NO_MANIFEST,
                    "there is no manifest, and " + Amounts.of(objects, "object") + " under \"" + folder + "\"",
                    "restore it, or check manifestPrefix and manifestTemplate");
        }
    }

    StoredManifest loaded() {
        return loaded;
    }

    List<Finding> findings() {
        return findings;
    }

    /** Unlisted deltas with rows that no listed file covers, in key order. */
    List<UnlistedFile> uncovered() {
        return unlisted.uncovered();
    }

    /** Findings that no repair puts right, and by which rows may be missing or readers misled. */
    List<Finding> beyondRepair() {
        return findings.stream()
                .filter(finding -> finding.kind() != Kind.UNCOVERED_ROWS)
                .filter(finding -> finding.kind().isDamage())
                .toList();
    }

    /** Why it cannot be told what the listed files cover; null if it can. */
    @Nullable
    String gap() {
        return gap;
    }

    /** Writes the rows of an unlisted delta that were judged to a file of their own. */
    FileFacts writeJudged(UnlistedFile file, Path target) {
        return unlisted.writeJudged(file, target);
    }

    private void add(String key, Kind kind, String problem, String cure) {
        findings.add(new Finding(key, kind, problem, cure));
    }

    private void addGap(ManifestEntry entry, Kind kind, String problem) {
        add(
                entry.key(),
                kind,
                problem,
                "restore the object from a version or a backup, or have a base export with replacingDeltas() list anew"
                        + " what PostgreSQL has");
        gap = "\"" + entry.key() + "\" is listed and cannot be relied on, as " + problem;
    }

    private void checkListed(ManifestEntry entry, @Nullable ObjectInfo object, Depth depth) {
        if (object == null) {
            addGap(entry, Kind.MISSING, "there is no such object");
            return;
        }
        if (ListedObjects.hasOtherSize(entry, object)) {
            addGap(entry, Kind.WRONG_SIZE, "it has " + object.sizeBytes() + " bytes, not " + entry.sizeBytes());
            return;
        }
        if (depth == Depth.LISTING) {
            return;
        }
        Path path = scan.newFile();
        try {
            store.download(entry.key(), path);
            checkContents(entry, path);
        } catch (ObjectNotFoundException e) {
            addGap(entry, Kind.MISSING, "there is no such object any more");
        } finally {
            delete(path);
        }
    }

    private void checkContents(ManifestEntry entry, Path path) {
        String checksum = entry.checksum();
        if (checksum != null && checksum.startsWith("sha256:")) {
            String found = FileContents.checksumOf(path);
            if (!found.equals(checksum)) {
                addGap(entry, Kind.WRONG_CHECKSUM, "its checksum is " + found + ", not " + checksum);
                return;
            }
        }
        FileFacts facts;
        try {
            facts = scan.facts(path);
        } catch (FileScan.UnreadableException e) {
            addGap(entry, Kind.UNREADABLE, "it cannot be read: " + e.getMessage());
            return;
        }
        if (facts.foreignRows() > 0) {
            addGap(
                    entry,
                    Kind.FOREIGN_ROWS,
                    facts.foreignRows() + " of its rows are of another schema, or without row id or version");
            return;
        }
        findings.addAll(new EntryCheck(manifest.form(), entry, facts).findings());
        RowIdRange rowIds = facts.contents().rowIds();
        if (entry.level().equals(ManifestEntry.BASE) && rowIds != null) {
            baseTier.add(entry.key(), rowIds);
        }
        if (unlisted.hasRows()) {
            scan.cover(path);
        }
    }

    private void checkBaseTier() {
        Map<String, String> overlaps = baseTier.overlaps();
        overlaps.forEach((key, other) -> add(
                key,
                Kind.BASE_OVERLAP,
                "its row ids overlap those of \"" + other + "\"",
                "a compaction that rewrites both"));
        Set<String> keys = new TreeSet<>(overlaps.keySet());
        keys.addAll(overlaps.values());
        keys.forEach(this::readBaseAgain);
        long twice = keys.isEmpty() ? 0 : scan.rowsInSeveralBases();
        if (twice > 0) {
            add(
                    keys.iterator().next(),
                    Kind.BASE_ROW_TWICE,
                    twice + " rows are in several base files, of " + String.join(", ", keys),
                    "a compaction that rewrites them");
        }
    }

    private void readBaseAgain(String key) {
        Path path = scan.newFile();
        try {
            store.download(key, path);
            scan.addBase(path);
        } finally {
            delete(path);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new CdcException("a local copy could not be deleted: " + e.getMessage(), e);
        }
    }

    /** The key of a new file that a repair lists. Not that of a flush, or flushes at work would be fenced. */
    String newKey() {
        return CdcPaths.schemaPrefix(prefix, manifest.schemaId()) + "delta-" + UuidV7.next() + ".parquet";
    }
}
