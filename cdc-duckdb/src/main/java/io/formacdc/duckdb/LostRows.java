package io.formacdc.duckdb;

import io.formacdc.core.CdcException;
import io.formacdc.core.CommitStateUnknownException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.SchemaLock;
import io.formacdc.duckdb.RepairReport.UnlistedFile;
import io.formacdc.manifest.Manifest;
import io.formacdc.manifest.ManifestChange;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.ManifestStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the rows of safe unlisted deltas to objects of their own, and lists those by one save. Confined to a thread. */
final class LostRows {
    private static final Logger LOG = LoggerFactory.getLogger(LostRows.class);

    private final ObjectStore store;
    private final ManifestStore manifests;
    private final SchemaAnalysis analysis;
    private final FileScan scan;
    private final int schemaId;
    private final List<String> written = new ArrayList<>();

    LostRows(ObjectStore store, ManifestStore manifests, SchemaAnalysis analysis, FileScan scan) {
        this.store = store;
        this.manifests = manifests;
        this.analysis = analysis;
        this.scan = scan;
        this.schemaId = analysis.loaded().manifest().schemaId();
    }

    /**
     * Lists what is safe.
     *
     * @return all unlisted deltas with uncovered rows, those that were repaired with the new key
     * @throws ManifestChangedException if the manifest is not the one that was analysed any more; nothing is listed
     */
    List<UnlistedFile> list(SchemaLock lock) {
        List<UnlistedFile> files = new ArrayList<>();
        List<ManifestEntry> entries = new ArrayList<>();
        try {
            for (UnlistedFile file : analysis.uncovered()) {
                if (file.isSafe()) {
                    ManifestEntry entry = write(file);
                    entries.add(entry);
                    files.add(new UnlistedFile(file.key(), file.lostRows(), file.lostDeletes(), 0, 0, entry.key()));
                } else {
                    files.add(file);
                }
            }
            if (!lock.isHeld()) {
                throw Reconciler.interruptedOr(new CdcException(
                        "schema " + schemaId + ": nothing was repaired, its lock was lost; try again"));
            }
            manifests.update(analysis.loaded(), new Repair(analysis.loaded().manifest(), entries)); // the commit point
        } catch (CommitStateUnknownException e) {
            throw e;
        } catch (CdcException e) {
            deleteWritten(e); // known not to be listed
            throw e;
        }
        entries.forEach(entry ->
                LOG.info("schema {}: repaired {} rows, listed as {}", schemaId, entry.rowCount(), entry.key()));
        return files;
    }

    private ManifestEntry write(UnlistedFile file) {
        Path path = scan.newFile();
        FileFacts facts = analysis.writeJudged(file, path);
        long rows = facts.contents().rowCount();
        if (rows != file.rows()) {
            throw new CdcException("the repair of " + file.key() + " holds " + rows + " rows of " + file.rows());
        }
        String key = analysis.newKey();
        written.add(key);
        store.put(key, path);
        long stored = store.head(key).sizeBytes();
        if (stored != facts.contents().sizeBytes()) {
            throw new CdcException("the store holds " + stored + " bytes of "
                    + facts.contents().sizeBytes() + " at " + key);
        }
        return ManifestEntry.delta(key, facts.contents());
    }

    private void deleteWritten(RuntimeException failure) {
        for (String key : written) {
            try {
                store.delete(key);
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /** Another writer came first. */
    static final class ManifestChangedException extends CdcException {
        private ManifestChangedException() {
            super("the manifest is not the one that was analysed");
        }
    }

    /**
     * Lists new files in the manifest that was analysed: another one may have dropped what covered their rows. What a
     * sweep alone saves, which lists nothing and retires nothing, makes no other one: the rows are in hand, whatever
     * becomes of the object that they were read from.
     */
    private record Repair(Manifest analysed, List<ManifestEntry> entries) implements ManifestChange {
        @Override
        public String key() {
            return entries.get(0).key();
        }

        @Override
        public List<String> listedKeys() {
            return entries.stream().map(ManifestEntry::key).toList();
        }

        @Override
        public Manifest applyTo(Manifest manifest) {
            if (!coversTheSame(manifest)) {
                throw new ManifestChangedException();
            }
            List<ManifestEntry> all = new ArrayList<>(manifest.entries());
            all.addAll(entries);
            return manifest.toBuilder().entries(all).build();
        }

        private boolean coversTheSame(Manifest manifest) {
            return manifest.entries().equals(analysed.entries())
                    && manifest.flushSeq() == analysed.flushSeq()
                    && manifest.retired().stream().allMatch(file -> analysed.retires(file.key()));
        }
    }
}
