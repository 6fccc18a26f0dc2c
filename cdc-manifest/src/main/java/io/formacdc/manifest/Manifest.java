package io.formacdc.manifest;

import io.formacdc.core.ManifestForm;
import io.formacdc.core.ManifestSize;
import io.formacdc.core.SchemaIds;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The files of a schema. Immutable.
 *
 * @param schemaId 1..32767
 * @param version number of saves
 * @param flushSeq number of appends by a flush; 0 where an older writer has dropped it
 * @param updatedAtMillis time of the last save, epoch milliseconds; strictly greater than that of the one before
 * @param entries all listed files of all tiers; no two with one key
 * @param retired files no longer listed, whose objects are kept for a while
 * @param orphans objects never listed that a sweep has found, and that can be listed no more
 * @param form the document it is written as
 * @param unknownKeys JSON text by key, of keys that this version does not know; written back as they are
 */
@RecordBuilder
@RecordBuilder.Options(enableWither = false, enableGetters = false)
public record Manifest(
        int schemaId,
        long version,
        long flushSeq,
        long updatedAtMillis,
        List<ManifestEntry> entries,
        List<RetiredFile> retired,
        List<OrphanSighting> orphans,
        ManifestForm form,
        Map<String, String> unknownKeys) {

    /**
     * @throws IllegalArgumentException if the schema id is out of range, a number is negative, a key stands twice among
     *     listed files, retired files and orphans, or the form has no place for an entry's level
     */
    public Manifest {
        SchemaIds.check(schemaId);
        if (version < 0 || flushSeq < 0 || updatedAtMillis < 0) {
            throw new IllegalArgumentException("version, flush_seq and updated_at_ms of a manifest are not negative");
        }
        entries = List.copyOf(entries);
        retired = List.copyOf(retired);
        orphans = List.copyOf(orphans);
        unknownKeys = FrozenMap.copyOf(unknownKeys);
        Set<String> keys = new HashSet<>(2 * entries.size());
        for (ManifestEntry entry : entries) {
            if (!keys.add(entry.key())) {
                throw new IllegalArgumentException("path \"" + entry.path() + "\" is listed twice");
            }
            if (form == ManifestForm.TIERED
                    && !entry.level().equals(ManifestEntry.BASE)
                    && !entry.level().equals(ManifestEntry.DELTA)) {
                throw new IllegalArgumentException("path \"" + entry.path() + "\" has level \"" + entry.level()
                        + "\", for which the form TIERED has no array");
            }
        }
        for (RetiredFile file : retired) {
            if (!keys.add(file.key())) {
                throw new IllegalArgumentException(
                        "path \"" + file.path() + "\" is retired, and listed or retired too");
            }
        }
        for (OrphanSighting orphan : orphans) {
            if (!keys.add(orphan.key())) {
                throw new IllegalArgumentException("path \"" + orphan.path()
                        + "\" was found to be an orphan, and cannot be listed or retired any more");
            }
        }
    }

    /** A manifest that was never saved. */
    static Manifest empty(int schemaId, ManifestForm form) {
        return new Manifest(schemaId, 0, 0, 0, List.of(), List.of(), List.of(), form, Map.of());
    }

    /** A builder that starts from this. */
    public ManifestBuilder toBuilder() {
        return ManifestBuilder.builder(this);
    }

    /** The listed files of level {@link ManifestEntry#BASE}. */
    public List<ManifestEntry> base() {
        return ofLevel(ManifestEntry.BASE);
    }

    /** The listed files of level {@link ManifestEntry#DELTA}. */
    public List<ManifestEntry> delta() {
        return ofLevel(ManifestEntry.DELTA);
    }

    /**
     * Listed files that hold each row once, all of them together, as exports and compactions write a base. The level alone
     * does not tell: older deployments call a delta a base without rewriting it.
     */
    public List<ManifestEntry> disjointBases() {
        return BaseLayout.of(this, Long.MAX_VALUE).slots().stream()
                .flatMap(slot -> slot.bases().stream())
                .map(BaseLayout.Base::entry)
                .toList();
    }

    /** Whether there are files of tiers that this version does not know, as entries or under an unknown key. */
    boolean hasUnknownTiers() {
        return unknownKeys.values().stream().anyMatch(json -> json.contains("\"path\""))
                || entries.stream()
                        .anyMatch(e -> !e.level().equals(ManifestEntry.BASE)
                                && !e.level().equals(ManifestEntry.DELTA));
    }

    /** Whether what stands under unknown keys names an object, which is in use for all that is known then. */
    boolean mayUse(String key) {
        String name = key.substring(key.lastIndexOf('/') + 1);
        return unknownKeys.values().stream().anyMatch(json -> json.contains(name));
    }

    /** Whether a key is listed, in any tier. */
    public boolean lists(String key) {
        return entries.stream().anyMatch(e -> e.key().equals(key));
    }

    /** Whether a key was listed and is retired. */
    public boolean retires(String key) {
        return retired.stream().anyMatch(f -> f.key().equals(key));
    }

    /** How much is listed. */
    ManifestSize size() {
        Map<String, ManifestSize.Tier> tiers = new HashMap<>();
        for (ManifestEntry entry : entries) {
            long bytes = Objects.requireNonNullElse(entry.sizeBytes(), 0L);
            tiers.merge(
                    entry.level(),
                    new ManifestSize.Tier(1, bytes),
                    (a, b) -> new ManifestSize.Tier(a.files() + b.files(), a.bytes() + b.bytes()));
        }
        return new ManifestSize(schemaId, version, tiers, retired.size());
    }

    private List<ManifestEntry> ofLevel(String level) {
        return entries.stream().filter(e -> e.level().equals(level)).toList();
    }
}
