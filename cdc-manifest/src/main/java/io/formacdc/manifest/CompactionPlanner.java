package io.formacdc.manifest;

import io.formacdc.core.CompactionConfig;
import io.formacdc.core.Merger.LooseRows;
import io.formacdc.manifest.BaseLayout.Base;
import io.formacdc.manifest.BaseLayout.Slot;
import io.formacdc.manifest.CompactionPlan.Action;
import io.formacdc.manifest.CompactionPlan.BaseRewrite;
import io.formacdc.manifest.CompactionPlan.Consolidation;
import io.formacdc.manifest.CompactionPlan.FileDecision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what a compaction does, from the manifest and from how many delta rows fall into each part of the base tier.
 * Has no effects. Confined to a thread, and to one plan.
 *
 * <p>The rule that keeps a deletion from being undone: all loose files with rows in a part that is written anew are taken
 * up by the same plan, so that no listed file can hold an older version of a row whose tombstone is dropped.
 */
final class CompactionPlanner {
    private static final long MEGABYTE = 1_000_000;

    /** Deltas of less than this part of the largest are all alike when they are weighed against each other. */
    private static final int LIGHT_PARTS = 16;

    private final Manifest manifest;
    private final BaseLayout layout;
    private final CompactionConfig config;
    private final List<LooseRows> looseRows;
    private final Map<String, FileDecision> decisions = new LinkedHashMap<>();
    private final List<BaseRewrite> rewrites = new ArrayList<>();
    private final Map<String, Long> rowsLeft = new HashMap<>();

    /** @param looseRows what the loose files hold in each slot of the layout */
    CompactionPlanner(Manifest manifest, BaseLayout layout, CompactionConfig config, List<LooseRows> looseRows) {
        this.manifest = manifest;
        this.layout = layout;
        this.config = config;
        this.looseRows = looseRows;
    }

    static long targetBytes(CompactionConfig config) {
        return config.targetBaseSizeMb() * MEGABYTE;
    }

    private static long maxDeltaBytes(CompactionConfig config) {
        return config.maxDeltaSizeMb() * MEGABYTE;
    }

    CompactionPlan plan() {
        looseRows.forEach(rows -> rows.rows().forEach((key, n) -> rowsLeft.merge(key, n, Long::sum)));
        Set<String> taken = new HashSet<>();
        if (!manifest.hasUnknownTiers()) {
            for (int i = 0; i < layout.slots().size(); i++) {
                decideSlot(layout.slots().get(i), looseRows.get(i), taken);
            }
        }
        Consolidation consolidation = decideLoose(taken);
        decideFilesWithoutRows();
        return new CompactionPlan(
                manifest.schemaId(),
                manifest.version(),
                manifest.entries().stream().map(this::decisionOn).toList(),
                rewrites,
                consolidation,
                null);
    }

    private void decideSlot(Slot slot, LooseRows rows, Set<String> taken) {
        String reason = reasonToRewrite(slot, rows);
        if (reason == null) {
            String dirty = rows.rowIds() == 0
                    ? "no delta rows in its range"
                    : rows.rowIds() + " of " + slot.rows() + " rows dirty, at most " + config.dirtyRatioPct()
                            + " % are left to a delta";
            slot.bases().forEach(base -> decide(base.entry(), Action.KEEP, dirty));
            return;
        }
        slot.bases().forEach(base -> decide(base.entry(), Action.MERGE, reason));
        taken.addAll(rows.rows().keySet());
        rows.rows().forEach((key, n) -> rowsLeft.merge(key, -n, Long::sum));
        long bytes = predictedBytes(slot, rows);
        rewrites.add(new BaseRewrite(
                slot.interval(),
                slot.bases().stream().map(base -> base.entry().key()).toList(),
                (int) Math.max(1, Math.round((double) bytes / targetBytes(config))),
                Math.max(0, slot.rows() - deleted(rows) + fresh(slot, rows)),
                bytes));
    }

    /** Null to leave the slot as it is. */
    private @Nullable String reasonToRewrite(Slot slot, LooseRows rows) {
        if (slot.bases().isEmpty()) {
            return rows.rowIds() > 0 ? "beyond every base file" : null;
        }
        if (slot.bases().size() > 1) {
            return "small, and next to small ones";
        }
        Base base = slot.bases().get(0);
        if (base.isLarge(targetBytes(config))) {
            return "far above the target size of " + config.targetBaseSizeMb() + " MB";
        }
        if (rows.rowIds() == 0) {
            return null;
        }
        if (base.rows() == 0) {
            return "its number of rows is not known";
        }
        boolean overlapped = layout.loose().stream()
                .anyMatch(
                        e -> e.level().equals(ManifestEntry.BASE) && rows.rows().containsKey(e.key()));
        if (overlapped) {
            return "another file of the base tier has rows in its range";
        }
        return rows.rowIds() * 100 > base.rows() * config.dirtyRatioPct()
                ? rows.rowIds() + " of " + base.rows() + " rows dirty, more than " + config.dirtyRatioPct() + " %"
                : null;
    }

    /**
     * A deleted row weighs what base rows weigh, a new one what loose rows weigh. Which of the live ones are new is not
     * known: all of those beyond the last file, of the others only what exceeds the rows that are there.
     */
    private long predictedBytes(Slot slot, LooseRows rows) {
        double ofBaseRow = slot.rows() == 0 ? 0 : (double) slot.bytes() / slot.rows();
        return Math.max(
                0, Math.round(slot.bytes() - deleted(rows) * ofBaseRow + fresh(slot, rows) * bytesOfLooseRow()));
    }

    private static long deleted(LooseRows rows) {
        return rows.rowIds() - rows.liveRowIds();
    }

    private static long fresh(Slot slot, LooseRows rows) {
        return slot.interval().upTo() == null ? rows.liveRowIds() : Math.max(0, rows.liveRowIds() - slot.rows());
    }

    private double bytesOfLooseRow() {
        long rows = 0;
        for (LooseRows inSlot : looseRows) {
            rows += inSlot.rows().values().stream().mapToLong(n -> n).sum();
        }
        long bytes =
                layout.loose().stream().mapToLong(CompactionPlanner::sizeOf).sum();
        return rows == 0 ? 0 : (double) bytes / rows;
    }

    private @Nullable Consolidation decideLoose(Set<String> taken) {
        Set<String> consolidated = new HashSet<>(taken);
        Set<String> small = smallDeltas(taken);
        long rewrittenAnyway =
                taken.stream().filter(key -> rowsLeft.getOrDefault(key, 0L) > 0).count();
        if (rewrittenAnyway + small.size() > 1) {
            consolidated.addAll(small);
        }
        double rowBytes = bytesOfLooseRow();
        long rows = 0;
        for (ManifestEntry entry : layout.loose()) {
            long left = rowsLeft.getOrDefault(entry.key(), 0L);
            boolean isEmpty = left == 0;
            if (consolidated.contains(entry.key()) || isEmpty) {
                consolidated.add(entry.key());
                rows += left;
                String reason = taken.contains(entry.key())
                        ? (isEmpty ? "all its rows go into base files" : left + " of its rows stay in a delta")
                        : isEmpty ? "it has no rows" : "small, and consolidated with others";
                boolean drop = isEmpty && !taken.contains(entry.key());
                decide(entry, drop ? Action.DROP : Action.MERGE, reason);
            } else {
                decide(entry, Action.KEEP, "its rows are few in every base file's range");
            }
        }
        if (consolidated.isEmpty()) {
            return null;
        }
        long bytes = Math.round(rows * rowBytes);
        int files = rows == 0 ? 0 : (int) (1 + (bytes - 1) / maxDeltaBytes(config));
        return new Consolidation(consolidated, files, rows, bytes);
    }

    /**
     * The lightest deltas, as long as the next one is no heavier than those before it together: so each row is written
     * anew a few times only, however many flushes there are.
     */
    private Set<String> smallDeltas(Set<String> taken) {
        long limit = maxDeltaBytes(config);
        List<ManifestEntry> candidates = layout.loose().stream()
                .filter(e -> !taken.contains(e.key()) && sizeOf(e) < limit / 2)
                .sorted(Comparator.comparingLong(CompactionPlanner::sizeOf))
                .toList();
        Set<String> small = new HashSet<>();
        long weight = 0;
        for (ManifestEntry entry : candidates) {
            long own = Math.max(sizeOf(entry), limit / LIGHT_PARTS);
            if (!small.isEmpty() && own > weight) {
                break;
            }
            small.add(entry.key());
            weight += own;
        }
        return small;
    }

    /** A file without rows is needed only where nothing else is listed. */
    private void decideFilesWithoutRows() {
        boolean othersStay = layout.withoutRows().size() < manifest.entries().size();
        for (ManifestEntry entry : layout.withoutRows()) {
            if (othersStay) {
                decide(entry, Action.DROP, "it has no rows, and others are listed");
            } else {
                decide(entry, Action.KEEP, "it says that the schema is empty");
                othersStay = true;
            }
        }
    }

    private void decide(ManifestEntry entry, Action action, String reason) {
        decisions.put(entry.key(), new FileDecision(entry.key(), entry.level(), sizeOf(entry), action, reason));
    }

    private FileDecision decisionOn(ManifestEntry entry) {
        FileDecision decision = decisions.get(entry.key());
        if (decision != null) {
            return decision;
        }
        boolean isUnknown = layout.unknownTiers().contains(entry);
        String reason = isUnknown
                ? "tier \"" + entry.level() + "\" is not known to this version"
                : "files of unknown tiers are listed, which may hold older versions of any row";
        return new FileDecision(entry.key(), entry.level(), sizeOf(entry), Action.KEEP, reason);
    }

    private static long sizeOf(ManifestEntry entry) {
        Long size = entry.sizeBytes();
        return size == null ? 0 : size;
    }
}
