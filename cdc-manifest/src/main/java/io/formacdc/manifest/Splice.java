package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a compaction saves: takes exactly the merged files off the list, puts the new ones there, and retires the old
 * ones. Whatever flushes have listed meanwhile stays: a delta listed after the merge began holds no version that a
 * dropped tombstone hid, because the fence lets no flush append what it read before that tombstone was listed.
 *
 * @param schemaId of the manifest
 * @param known keys listed when the merge began
 * @param merged keys to take off, not empty
 * @param written files to put on; may be empty
 * @param retiredAtMillis when the merged ones are retired, epoch milliseconds
 */
record Splice(int schemaId, Set<String> known, Set<String> merged, List<ManifestEntry> written, long retiredAtMillis)
        implements ManifestChange {

    /** Another compaction or export has changed what was merged; nothing is saved. */
    static final class OvertakenException extends CdcException {
        OvertakenException(String message) {
            super(message);
        }
    }

    @Override
    public String key() {
        return written.isEmpty() ? merged.iterator().next() : written.get(0).key();
    }

    @Override
    public List<String> listedKeys() {
        return written.stream().map(ManifestEntry::key).toList();
    }

    /** Without new files, the files are off the list; whoever has taken them off put their rows elsewhere. */
    @Override
    public boolean isCommittedIn(Manifest manifest) {
        return written.isEmpty()
                ? merged.stream().noneMatch(manifest::lists)
                : manifest.lists(key()) || manifest.retires(key());
    }

    @Override
    public Manifest applyTo(Manifest manifest) {
        checkUnchanged(manifest);
        List<ManifestEntry> entries = new ArrayList<>();
        List<RetiredFile> retired = new ArrayList<>(manifest.retired());
        for (ManifestEntry entry : manifest.entries()) {
            if (merged.contains(entry.key())) {
                retired.add(RetiredFile.of(entry.path(), retiredAtMillis));
            } else {
                entries.add(entry);
            }
        }
        entries.addAll(written);
        entries.sort(Comparator.comparing(Splice::place));
        return manifest.toBuilder().entries(entries).retired(retired).build();
    }

    private void checkUnchanged(Manifest manifest) {
        Set<String> listed = new HashSet<>();
        for (ManifestEntry entry : manifest.entries()) {
            listed.add(entry.key());
            if (!known.contains(entry.key()) && KeyShape.ofListed(schemaId, entry.key()) != KeyShape.FLUSHED) {
                throw new OvertakenException("another compaction or export has listed \"" + entry.key() + "\"");
            }
        }
        for (String key : merged) {
            if (!listed.contains(key)) {
                throw new OvertakenException("another compaction or export has taken up \"" + key + "\"");
            }
        }
    }

    /** Base files in row-id order, before all others, which keep their order. */
    private static String place(ManifestEntry entry) {
        String min = entry.minRowId();
        return entry.level().equals(ManifestEntry.BASE) ? "0" + (min == null ? "" : min) : "1";
    }
}
