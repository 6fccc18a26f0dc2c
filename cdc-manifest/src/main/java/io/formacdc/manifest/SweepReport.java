package io.formacdc.manifest;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a sweep of a schema found, and did or would do. Objects that are listed, or too young to be judged, or of a key
 * that no part of this library writes, are not in it.
 *
 * @param findings in key order
 * @param refusal why nothing could be judged; null if it could
 */
public record SweepReport(
        int schemaId, List<Finding> findings, @Nullable String refusal) {
    public SweepReport {
        findings = List.copyOf(findings);
    }

    /** Why an object is of no use. */
    public enum Kind {
        /** It was listed until a compaction or an export put another in its place. */
        RETIRED,
        /** It was never listed. */
        ORPHAN,
        /** It was staged, and nobody came back for it. */
        STAGED
    }

    /** What becomes of an object. */
    public enum Verdict {
        /** It goes now. */
        DELETE,
        /** It stays for this time. */
        WAIT
    }

    /**
     * One object.
     *
     * @param reason why, in words
     */
    public record Finding(String key, Kind kind, Verdict verdict, String reason) {}

    /** Objects that go. */
    public List<Finding> deleted() {
        return findings.stream()
                .filter(finding -> finding.verdict() == Verdict.DELETE)
                .toList();
    }

    /** One line for each object, and one before them. */
    public String explain() {
        StringBuilder text = new StringBuilder("schema " + schemaId + ": ");
        text.append(
                refusal != null
                        ? "nothing is swept, " + refusal
                        : findings.isEmpty()
                                ? "nothing to sweep"
                                : deleted().size() + " of " + findings.size() + " go");
        for (Finding finding : findings) {
            text.append(String.format(
                    Locale.ROOT,
                    "%n  %-6s %-7s %s: %s",
                    finding.verdict().name().toLowerCase(Locale.ROOT),
                    finding.kind().name().toLowerCase(Locale.ROOT),
                    finding.key(),
                    finding.reason()));
        }
        return text.append(System.lineSeparator()).toString();
    }
}
