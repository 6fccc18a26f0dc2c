package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.UuidV7;
import io.formacdc.duckdb.FileScan.Entity;
import io.formacdc.duckdb.FileScan.EntityState;
import io.formacdc.duckdb.FileScan.Tombstone;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.duckdb.RepairReport.UnlistedFile;
import io.formacdc.manifest.KeyShape;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.StoredManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
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

    private final List<Finding> findings = new ArrayList<>();
    /** Local copies by key, in the order of their numbers in the scan. */
    private final Map<String, Path> looseFiles = new LinkedHashMap<>();

    private final List<UnlistedFile> uncovered = new ArrayList<>();
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
    }

    /** @param states what PostgreSQL says of rows, at one instant */
    void run(Depth depth, Function<List<UUID>, List<EntityState>> states) {
        Map<String, ObjectInfo> objects = new ListedObjects(store, prefix).find(manifest);
        objects.remove(manifestKey);
        if (!loaded.exists()) {
            if (!objects.isEmpty()) {
                add(
                        manifestKey,
                        Kind.NO_MANIFEST,
                        "there is no manifest, and " + objects.size() + " objects",
                        "restore it, or check manifestPrefix and manifestTemplate");
            }
            return;
        }
        checkUnlisted(objects, depth);
        for (ManifestEntry entry : manifest.entries()) {
            checkListed(entry, objects.get(entry.key()), depth);
        }
        checkBaseTier();
        if (!looseFiles.isEmpty()) {
            judge(states);
        }
        findings.sort(Comparator.comparing(Finding::key).thenComparing(Finding::kind));
    }

    StoredManifest loaded() {
        return loaded;
    }

    List<Finding> findings() {
        return findings;
    }

    /** Unlisted deltas with rows that no listed file covers, in key order. */
    List<UnlistedFile> uncovered() {
        return uncovered;
    }

    /** Why it cannot be told what the listed files cover; null if it can. */
    @Nullable
    String gap() {
        return gap;
    }

    /** Writes the rows of an unlisted delta that were judged to a file of their own. */
    FileFacts writeJudged(UnlistedFile file, Path target) {
        int number = new ArrayList<>(looseFiles.keySet()).indexOf(file.key());
        return scan.writeJudged(number, Objects.requireNonNull(looseFiles.get(file.key())), target);
    }

    private void add(String key, Kind kind, String problem, String cure) {
        findings.add(new Finding(key, kind, problem, cure));
    }

    private void addGap(ManifestEntry entry, Kind kind, String problem) {
        add(entry.key(), kind, problem, "restore the object from a version or a backup");
        gap = "\"" + entry.key() + "\" is listed and cannot be relied on, as " + problem;
    }

    private void checkUnlisted(Map<String, ObjectInfo> objects, Depth depth) {
        Set<String> listed = manifest.entries().stream().map(ManifestEntry::key).collect(Collectors.toSet());
        Set<String> sighted =
                manifest.orphans().stream().map(orphan -> orphan.key()).collect(Collectors.toSet());
        for (String key : objects.keySet()) {
            KeyShape shape = KeyShape.of(prefix, manifest.schemaId(), key);
            if (listed.contains(key)) {
                continue;
            }
            if (manifest.retires(key)) {
                add(key, Kind.RETIRED, "it was listed and is retired", "a sweep deletes it after the grace");
            } else if (sighted.contains(key)) {
                add(key, Kind.SIGHTED, "a sweep has found it unlisted before", "a sweep deletes it after the grace");
            } else if (shape == KeyShape.STAGED) {
                add(key, Kind.STAGED, "it is staged", "a sweep deletes it when nobody comes back for it");
            } else if (shape == KeyShape.UNKNOWN) {
                add(key, Kind.UNKNOWN, "no part of this library writes such a key", "nothing touches it");
            } else if (shape == KeyShape.FLUSHED && depth == Depth.CONTENTS) {
                takeLoose(key);
            } else if (shape != KeyShape.FLUSHED
                    && shape != KeyShape.CONSOLIDATED_DELTA
                    && manifest.base().isEmpty()) {
                add(
                        key,
                        Kind.LOST_BASE,
                        "it is a base file, and the manifest lists none",
                        "if an older manifest was lost, put it back, or export the base anew, replacing deltas");
            } else {
                add(
                        key,
                        Kind.UNLISTED,
                        "it is not listed" + (shape == KeyShape.FLUSHED ? ", its rows were not looked at" : ""),
                        shape == KeyShape.FLUSHED
                                ? "a check of contents tells whether its rows are elsewhere"
                                : "a sweep deletes it after two sightings");
            }
        }
    }

    private void takeLoose(String key) {
        Path path = newFile();
        try {
            store.download(key, path);
            FileFacts facts = scan.facts(path);
            if (facts.foreignRows() > 0) {
                add(key, Kind.UNLISTED, "it is not listed, and holds rows of another schema", "a sweep deletes it");
                return;
            }
            scan.addLoose(looseFiles.size(), path);
            looseFiles.put(key, path);
        } catch (ObjectNotFoundException e) {
            // Gone since the listing, and never listed.
        } catch (FileScan.UnreadableException e) {
            add(key, Kind.UNLISTED, "it is not listed and cannot be used: " + e.getMessage(), "a sweep deletes it");
        }
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
        Path path = newFile();
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
        if (!looseFiles.isEmpty()) {
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
        Path path = newFile();
        try {
            store.download(key, path);
            scan.addBase(path);
        } finally {
            delete(path);
        }
    }

    private void judge(Function<List<UUID>, List<EntityState>> states) {
        List<UUID> ids = scan.uncoveredIds();
        scan.judge(ids.isEmpty() ? List.of() : states.apply(ids));
        int number = 0;
        for (String key : looseFiles.keySet()) {
            UnlistedFile file = new UnlistedFile(
                    key,
                    scan.judged(number, Tombstone.NO, Entity.ALIVE),
                    scan.judged(number, Tombstone.YES, Entity.GONE),
                    scan.judged(number, Tombstone.NO, Entity.GONE),
                    scan.judged(number, Tombstone.YES, Entity.ALIVE),
                    null);
            number++;
            if (file.rows() == 0) {
                add(
                        key,
                        Kind.UNLISTED,
                        "it is not listed, and its rows are in listed files, or dirty, or newer elsewhere",
                        "a sweep deletes it after two sightings");
            } else {
                uncovered.add(file);
                add(
                        key,
                        Kind.UNCOVERED_ROWS,
                        file.problem(),
                        file.isSafe()
                                ? "a repair lists them"
                                : "a repair refuses them; see what became of the entities, and write them anew");
            }
        }
    }

    private Path newFile() {
        return scan.folder().resolve(UuidV7.next() + ".parquet");
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
