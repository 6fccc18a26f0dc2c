package io.formacdc.manifest;

import io.formacdc.core.ManifestForm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Listed files for tests of what is decided from the list alone; row ids are small numbers. */
final class Entries {
    private Entries() {}

    /** A base file of a compaction, of a million bytes for each MB, with row ids from min to max. */
    static ManifestEntry base(int number, long min, long max, double megabytes, long rows) {
        return entry(ManifestEntry.BASE, baseKey(number), min, max, megabytes, rows);
    }

    /** A base file without rows. */
    static ManifestEntry emptyBase(int number) {
        return new ManifestEntry(
                baseKey(number), null, null, null, null, 900L, ManifestEntry.BASE, 0L, null, Map.of(), Map.of());
    }

    /** A delta of a flush. */
    static ManifestEntry delta(int number, double megabytes, long rows) {
        return entry(ManifestEntry.DELTA, Manifests.flushKey(number), 0, 0, megabytes, rows);
    }

    static ManifestEntry entry(String level, String key, long min, long max, double megabytes, long rows) {
        return new ManifestEntry(
                key,
                rowId(min).toString(),
                rowId(max).toString(),
                1L,
                2L,
                (long) (megabytes * 1e6),
                level,
                rows,
                null,
                Map.of(),
                Map.of());
    }

    static Manifest manifest(ManifestEntry... entries) {
        return Manifest.empty(Manifests.SCHEMA, ManifestForm.FILES).toBuilder()
                .version(3)
                .entries(new ArrayList<>(Arrays.asList(entries)))
                .build();
    }

    static String baseKey(int number) {
        return "data/" + Manifests.SCHEMA + "/base-" + new UUID(0x7000L, number) + ".parquet";
    }

    static String consolidatedKey(int number) {
        return "data/" + Manifests.SCHEMA + "/delta-" + new UUID(0x7000L, number) + ".parquet";
    }

    static UUID rowId(long number) {
        return new UUID(0, number);
    }

    static List<String> keys(List<ManifestEntry> entries) {
        return entries.stream().map(ManifestEntry::key).toList();
    }
}
