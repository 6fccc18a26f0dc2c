package io.formacdc.core;

import java.util.Map;

/**
 * How much a manifest lists.
 *
 * @param version of the manifest; 0 when there is none
 * @param tiers by name ({@code base}, {@code delta}, or what a newer version writes); without those that hold nothing
 * @param retiredFiles objects kept for readers that resolved their list earlier
 */
public record ManifestSize(int schemaId, long version, Map<String, Tier> tiers, int retiredFiles) {
    public ManifestSize {
        tiers = Map.copyOf(tiers);
    }

    /**
     * Listed files of a tier.
     *
     * @param bytes as listed; a file whose size is not listed counts as 0
     */
    public record Tier(int files, long bytes) {}
}
