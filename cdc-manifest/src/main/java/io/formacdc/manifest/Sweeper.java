package io.formacdc.manifest;

import static java.util.Objects.requireNonNull;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.SchemaIds;
import io.formacdc.manifest.SweepReport.Finding;
import io.formacdc.manifest.SweepReport.Kind;
import io.formacdc.manifest.SweepReport.Verdict;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes objects that are of no use any more: files that were retired, objects that were never listed, and staged ones
 * that nobody came back for. Thread-safe; any number may run, beside flushes, exports and compactions.
 *
 * <p>An orphan goes after two sightings more than the grace apart. The first one is saved in the manifest, and from then
 * on the object can be listed no more: the writer that has it in hand is refused, however late it comes. So what is
 * deleted is neither listed nor will be. Only keys of exactly the shapes that this library writes are judged. Nothing is
 * deleted where the manifest is missing, empty, of another schema, or does not list a single file under the prefix; and
 * no base file where the manifest lists none, because it may have been lost and begun anew.
 */
public final class Sweeper {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

    private final ObjectStore store;
    private final ManifestStore manifests;
    private final String prefix;
    private final SweepOptions options;
    private final Clock clock;

    /** @param prefix of data inside the bucket, as flushes use it; may be empty */
    public Sweeper(ObjectStore store, ManifestStore manifests, String prefix, SweepOptions options, Clock clock) {
        this.store = requireNonNull(store, "store");
        this.manifests = requireNonNull(manifests, "manifests");
        this.prefix = requireNonNull(prefix, "prefix");
        this.options = requireNonNull(options, "options");
        this.clock = requireNonNull(clock, "clock");
    }

    /**
     * What a sweep of a schema would do now. Writes nothing.
     *
     * @throws InvalidManifestException if the manifest cannot be used
     * @throws ObjectStoreException if it cannot be read, or the bucket not be listed to its end
     */
    public SweepReport plan(int schemaId) {
        return judge(manifests.load(SchemaIds.check(schemaId)));
    }

    /**
     * Sweeps a schema. An object that cannot be deleted is tried again by the next sweep, and keeps no other from going.
     *
     * @return what was done
     * @throws InvalidManifestException if the manifest cannot be used; nothing was deleted
     * @throws CdcInterruptedException if the calling thread was interrupted; what was deleted is still named in it
     * @throws ObjectStoreException if it cannot be read, or the bucket not be listed to its end: nothing was deleted; or
     *     if it cannot be saved: what was deleted is still named in it
     */
    public SweepReport sweep(int schemaId) {
        SchemaIds.check(schemaId);
        CdcInterruptedException.requireNotInterrupted("the sweep of schema " + schemaId);
        StoredManifest loaded = manifests.load(schemaId);
        SweepReport report = judge(loaded);
        Set<String> gone = new HashSet<>();
        for (Finding finding : report.deleted()) {
            if (delete(schemaId, finding)) {
                gone.add(finding.key());
            }
        }
        List<String> sighted = report.findings().stream()
                .filter(f -> f.kind() == Kind.ORPHAN && f.verdict() == Verdict.WAIT)
                .map(Finding::key)
                .toList();
        Swept swept = new Swept(schemaId, gone, sighted, clock.millis());
        if (swept.changes(loaded.manifest())) {
            manifests.update(loaded, swept);
        }
        return report;
    }

    /** Every schema that has a manifest; see {@link #sweep(int)}. The first schema that fails ends it. */
    public List<SweepReport> sweep() {
        CdcInterruptedException.requireNotInterrupted("the sweep");
        List<Integer> schemaIds = manifests.schemaIds();
        if (schemaIds.isEmpty()) {
            LOG.warn("nothing to sweep: {}", manifests.absence());
        }
        return schemaIds.stream().map(this::sweep).toList();
    }

    private boolean delete(int schemaId, Finding finding) {
        try {
            store.delete(finding.key());
            LOG.info("schema {}: swept {}, {}", schemaId, finding.key(), finding.reason());
            return true;
        } catch (ObjectStoreException e) {
            LOG.warn("schema {}: could not delete {}: {}", schemaId, finding.key(), e.getMessage());
            return false;
        }
    }

    private SweepReport judge(StoredManifest loaded) {
        Manifest manifest = loaded.manifest();
        String folder = CdcPaths.schemaPrefix(prefix, manifest.schemaId());
        String refusal = refusal(loaded, folder);
        if (refusal != null) {
            return new SweepReport(manifest.schemaId(), List.of(), refusal);
        }
        List<Finding> findings = new ArrayList<>();
        manifest.retired().forEach(file -> findings.add(judge(file)));
        Set<String> judged = manifest.retired().stream().map(RetiredFile::key).collect(Collectors.toSet());
        manifest.entries().forEach(entry -> judged.add(entry.key()));
        Map<String, Long> sightings = new TreeMap<>();
        manifest.orphans().forEach(orphan -> sightings.put(orphan.key(), orphan.seenAtMillis()));
        try (Stream<ObjectInfo> objects = store.list(folder)) {
            objects.filter(object -> !judged.contains(object.key()) && !manifest.mayUse(object.key()))
                    .forEach(object -> judge(manifest, object, sightings, findings));
        }
        // An orphan that is gone by other hands need not be remembered.
        sightings.keySet().stream()
                .filter(key -> findings.stream().noneMatch(f -> f.key().equals(key)))
                .forEach(key -> findings.add(new Finding(key, Kind.ORPHAN, Verdict.DELETE, "it is gone already")));
        findings.sort(Comparator.comparing(Finding::key));
        return new SweepReport(manifest.schemaId(), findings, null);
    }

    private @Nullable String refusal(StoredManifest loaded, String folder) {
        if (!loaded.exists()) {
            return manifests.absence(loaded.manifest().schemaId());
        }
        if (loaded.manifest().entries().isEmpty()) {
            return "the manifest lists nothing, where readers take the whole bucket";
        }
        return loaded.manifest().entries().stream().anyMatch(e -> e.key().startsWith(folder))
                ? null
                : "the manifest lists no file under \"" + folder + "\"; check s3Prefix";
    }

    private Finding judge(RetiredFile file) {
        return hasPassed(file.retiredAtMillis(), options.grace().toMillis())
                ? new Finding(file.key(), Kind.RETIRED, Verdict.DELETE, "retired longer ago than " + options.grace())
                : new Finding(file.key(), Kind.RETIRED, Verdict.WAIT, "a reader may still be at it");
    }

    private void judge(Manifest manifest, ObjectInfo object, Map<String, Long> sightings, List<Finding> findings) {
        KeyShape shape = KeyShape.of(prefix, manifest.schemaId(), object.key());
        long writtenAt = object.lastModified().toEpochMilli();
        if (shape == KeyShape.STAGED) {
            if (hasPassed(writtenAt, options.stagedGrace().toMillis())) {
                findings.add(new Finding(
                        object.key(), Kind.STAGED, Verdict.DELETE, "staged longer ago than " + options.stagedGrace()));
            }
            return;
        }
        Long seenAt = sightings.get(object.key());
        // A younger one is on its way to the list, in the hands of a flush or a compaction.
        if (shape == KeyShape.UNKNOWN
                || (seenAt == null && !hasPassed(writtenAt, options.grace().toMillis()))) {
            return;
        }
        boolean isBase = shape == KeyShape.EXPORTED_BASE || shape == KeyShape.COMPACTED_BASE;
        if (isBase && manifest.base().isEmpty()) {
            // A flush creates a manifest where one was lost; then this is all that is left of the schema.
            LOG.warn(
                    "schema {}: {} is a base file, and the manifest lists none; was an older manifest lost?",
                    manifest.schemaId(),
                    object.key());
        } else if (seenAt == null) {
            findings.add(new Finding(object.key(), Kind.ORPHAN, Verdict.WAIT, "not listed, seen for the first time"));
        } else if (hasPassed(seenAt, options.grace().toMillis())) {
            findings.add(new Finding(
                    object.key(), Kind.ORPHAN, Verdict.DELETE, "not listed, seen longer ago than " + options.grace()));
        } else {
            findings.add(new Finding(object.key(), Kind.ORPHAN, Verdict.WAIT, "not listed, seen a while ago"));
        }
    }

    private boolean hasPassed(long sinceMillis, long graceMillis) {
        return clock.millis() - sinceMillis > graceMillis;
    }

    /**
     * What a sweep saves: names of objects that are gone leave the manifest, and new orphans are named in it.
     *
     * @param gone keys of objects deleted
     * @param sighted keys of objects found not to be listed
     */
    private record Swept(int schemaId, Set<String> gone, List<String> sighted, long seenAtMillis)
            implements ManifestChange {
        boolean changes(Manifest manifest) {
            return !isCommittedIn(manifest);
        }

        @Override
        public String key() {
            return gone.isEmpty() ? sighted.get(0) : gone.iterator().next();
        }

        @Override
        public boolean isCommittedIn(Manifest manifest) {
            return manifest.retired().stream().noneMatch(file -> gone.contains(file.key()))
                    && manifest.orphans().stream().noneMatch(orphan -> gone.contains(orphan.key()))
                    && unnamed(manifest).isEmpty();
        }

        /** One that was listed in the meantime is no orphan. */
        private List<String> unnamed(Manifest manifest) {
            Set<String> named = new HashSet<>();
            manifest.entries().forEach(entry -> named.add(entry.key()));
            manifest.retired().forEach(file -> named.add(file.key()));
            manifest.orphans().forEach(orphan -> named.add(orphan.key()));
            return sighted.stream().filter(key -> !named.contains(key)).toList();
        }

        @Override
        public Manifest applyTo(Manifest manifest) {
            List<OrphanSighting> orphans = new ArrayList<>(manifest.orphans());
            orphans.removeIf(orphan -> gone.contains(orphan.key()));
            unnamed(manifest).forEach(key -> orphans.add(OrphanSighting.of(key, seenAtMillis)));
            return manifest.toBuilder()
                    .retired(manifest.retired().stream()
                            .filter(file -> !gone.contains(file.key()))
                            .toList())
                    .orphans(orphans)
                    .build();
        }
    }
}
