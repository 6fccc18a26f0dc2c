package io.formacdc.manifest;

import io.formacdc.core.BaseExportOptions.ExistingDeltas;
import io.formacdc.core.ExportRefusedException;
import io.formacdc.core.FencedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What an initial export saves: the new base in the place of everything listed, which is retired.
 *
 * <p>It is enough that the fence holds, whatever compactions have done meanwhile. No flush has appended since the
 * manifest was loaded, and the rows were read after that; so whatever is listed now came from flushes that this base
 * knows, and every later change is dirty still. Another export is no danger either, but there is nothing to be gained
 * by coming after it.
 *
 * @param fence opened on the manifest that was loaded before the rows were read
 * @param known keys listed then
 * @param written the new base, not empty
 * @param retiredAtMillis when the old files are retired, epoch milliseconds
 */
record BaseReplacement(
        Fence fence,
        Set<String> known,
        ExistingDeltas existingDeltas,
        List<ManifestEntry> written,
        long retiredAtMillis)
        implements ManifestChange {

    @Override
    public String key() {
        return written.get(0).key();
    }

    @Override
    public List<String> listedKeys() {
        return written.stream().map(ManifestEntry::key).toList();
    }

    @Override
    public Manifest applyTo(Manifest manifest) {
        fence.check(manifest);
        for (ManifestEntry entry : manifest.entries()) {
            if (!known.contains(entry.key())
                    && KeyShape.ofListed(manifest.schemaId(), entry.key()) == KeyShape.EXPORTED_BASE) {
                throw new FencedException(
                        "schema " + manifest.schemaId() + ": another export has listed \"" + entry.key() + "\"");
            }
        }
        refuseOthers(manifest, existingDeltas);
        List<RetiredFile> retired = new ArrayList<>(manifest.retired());
        manifest.entries().forEach(entry -> retired.add(RetiredFile.of(entry.path(), retiredAtMillis)));
        return manifest.toBuilder().entries(written).retired(retired).build();
    }

    /** @throws ExportRefusedException if a file is listed that may not be taken off the list */
    static void refuseOthers(Manifest manifest, ExistingDeltas existingDeltas) {
        List<String> unknown = manifest.entries().stream()
                .map(ManifestEntry::level)
                .filter(level -> !level.equals(ManifestEntry.BASE) && !level.equals(ManifestEntry.DELTA))
                .toList();
        if (!unknown.isEmpty()) {
            throw new ExportRefusedException(unknown.size() + " files are listed in tiers that are neither base nor"
                    + " delta (\"" + unknown.get(0) + "\"); what readers make of them beside a new base is not known,"
                    + " so they must be taken off the list first");
        }
        if (manifest.hasUnknownTiers()) {
            throw new ExportRefusedException(
                    "the manifest lists files under a key that this version does not know; they"
                            + " must be taken off the list first");
        }
        int deltas = manifest.delta().size();
        if (deltas > 0 && existingDeltas == ExistingDeltas.REFUSE) {
            throw new ExportRefusedException(deltas + (deltas == 1 ? " delta is" : " deltas are")
                    + " listed already; a compaction makes a base of them, or an export with"
                    + " BaseExportOptions.DEFAULTS.replacingDeltas() takes them off the list in the save that lists the"
                    + " new base");
        }
    }
}
