package io.formacdc.duckdb;

import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
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
import io.formacdc.manifest.OrphanSighting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of a schema that its manifest does not list: of what kind they are, and which rows of unlisted deltas no
 * listed file covers. Reads only. Confined to a thread.
 */
final class UnlistedObjects {
    private static final Logger LOG = LoggerFactory.getLogger(UnlistedObjects.class);

    private final ObjectStore store;
    private final String prefix;
    private final Manifest manifest;
    private final FileScan scan;
    private final Set<String> sighted;

    private final List<Finding> findings = new ArrayList<>();
    /** Local copies by key, in the order of their numbers in the scan. */
    private final Map<String, Path> looseFiles = new LinkedHashMap<>();

    private final List<UnlistedFile> uncovered = new ArrayList<>();

    UnlistedObjects(ObjectStore store, String prefix, Manifest manifest, FileScan scan) {
        this.store = store;
        this.prefix = prefix;
        this.manifest = manifest;
        this.scan = scan;
        this.sighted = manifest.orphans().stream().map(OrphanSighting::key).collect(Collectors.toSet());
    }

    List<Finding> findings() {
        return findings;
    }

    /** Unlisted deltas with rows that no listed file covers, in key order. */
    List<UnlistedFile> uncovered() {
        return uncovered;
    }

    /** Whether the scan has taken up rows, which wait to be {@link #judge judged}. */
    boolean hasRows() {
        return !looseFiles.isEmpty();
    }

    /**
     * Says of each object what it is, and takes up the rows of deltas.
     *
     * @param keys of all objects, listed ones too
     */
    void check(Collection<String> keys, Depth depth) {
        Set<String> listed = manifest.entries().stream().map(ManifestEntry::key).collect(Collectors.toSet());
        keys.stream().filter(key -> !listed.contains(key)).forEach(key -> check(key, depth));
    }

    private void check(String key, Depth depth) {
        KeyShape shape = KeyShape.of(prefix, manifest.schemaId(), key);
        if (manifest.retires(key)) {
            add(key, Kind.RETIRED, "it was listed and is retired", "a sweep deletes it after the grace");
        } else if (shape == KeyShape.FLUSHED && depth == Depth.CONTENTS) {
            take(key);
        } else if (sighted.contains(key)) {
            add(key, Kind.SIGHTED, "a sweep has found it unlisted before", "a sweep deletes it after the grace");
        } else if (shape == KeyShape.STAGED) {
            add(key, Kind.STAGED, "it is staged", "a sweep deletes it when nobody comes back for it");
        } else if (shape == KeyShape.UNKNOWN) {
            add(key, Kind.UNKNOWN, "no part of this library writes such a key", "nothing touches it");
        } else if (shape != KeyShape.FLUSHED
                && shape != KeyShape.CONSOLIDATED_DELTA
                && manifest.base().isEmpty()) {
            add(
                    key,
                    Kind.LOST_BASE,
                    "it is a base file, and the manifest lists none",
                    "if an older manifest was lost, put it back, or export the base anew, replacing deltas");
        } else if (shape == KeyShape.FLUSHED) {
            add(
                    key,
                    Kind.UNLISTED,
                    "it is not listed, its rows were not looked at",
                    "a check of contents tells whether its rows are elsewhere");
        } else {
            add(key, Kind.UNLISTED, "it is not listed", "a sweep deletes it after two sightings");
        }
    }

    private void take(String key) {
        Path path = scan.newFile();
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
            if (sighted.contains(key)) {
                LOG.warn("schema {}: a sweep deleted {} before its rows were looked at", manifest.schemaId(), key);
                add(
                        key,
                        Kind.SWEPT,
                        "a sweep deleted it before its rows were looked at",
                        "restore it from a version or a backup if rows are missing");
            }
            // Else deleted by the writer that never listed it.
        } catch (FileScan.UnreadableException e) {
            add(key, Kind.UNLISTED, "it is not listed and cannot be used: " + e.getMessage(), "a sweep deletes it");
        }
    }

    /**
     * Judges what no listed file covers.
     *
     * @param states what PostgreSQL says of rows, at one instant
     */
    void judge(Function<List<UUID>, List<EntityState>> states) {
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
                addCovered(key);
            } else {
                uncovered.add(file);
                addUncovered(file);
            }
        }
    }

    private void addCovered(String key) {
        boolean wasSighted = sighted.contains(key);
        add(
                key,
                wasSighted ? Kind.SIGHTED : Kind.UNLISTED,
                "it is not listed, and its rows are in listed files, or dirty, or newer elsewhere, or gone",
                wasSighted ? "a sweep deletes it after the grace" : "a sweep deletes it after two sightings");
    }

    private void addUncovered(UnlistedFile file) {
        String cure = file.isSafe()
                ? "a repair lists them"
                : "a repair refuses them; see what became of the entities, and write them anew";
        String haste = sighted.contains(file.key()) ? ", before a sweep that has sighted it deletes it" : "";
        add(file.key(), Kind.UNCOVERED_ROWS, file.problem(), cure + haste);
    }

    /** Writes the rows of an unlisted delta that were judged to a file of their own. */
    FileFacts writeJudged(UnlistedFile file, Path target) {
        int number = new ArrayList<>(looseFiles.keySet()).indexOf(file.key());
        return scan.writeJudged(number, Objects.requireNonNull(looseFiles.get(file.key())), target);
    }

    private void add(String key, Kind kind, String problem, String cure) {
        findings.add(new Finding(key, kind, problem, cure));
    }
}
