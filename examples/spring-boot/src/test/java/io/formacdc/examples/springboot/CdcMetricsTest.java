package io.formacdc.examples.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportReport;
import io.formacdc.core.CdcException;
import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.CompactionReport;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.FileContents;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestSize;
import io.formacdc.core.OpenSnapshot;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CdcMetricsTest {
    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final CdcMetrics metrics = new CdcMetrics(registry, Clock.fixed(NOW, ZoneOffset.UTC));

    @Test
    void theBacklogIsThatOfTheLastPassAndWhatItLeft() {
        metrics.backlogRead(List.of(new DirtySchema(7, 30, ago(90)), new DirtySchema(8, 5, ago(10))));
        assertThat(metrics())
                .contains("cdc_backlog_rows{schema=\"7\"} 30.0", "cdc_backlog_age_seconds{schema=\"7\"} 90.0");
        assertThat(metrics.ageOfBacklog()).isEqualTo(Duration.ofSeconds(90));

        metrics.schemaFinished(flush(FlushReport.Outcome.FLUSHED, 30, 29));
        metrics.schemaFinished(flush(FlushReport.Outcome.FAILED, 30, 10));
        assertThat(metrics())
                .contains("cdc_backlog_rows{schema=\"7\"} 1.0", "cdc_backlog_age_seconds{schema=\"7\"} 2.0");
        assertThat(metrics.ageOfBacklog()).isEqualTo(Duration.ofSeconds(10));

        metrics.backlogRead(List.of());
        assertThat(metrics())
                .contains("cdc_backlog_rows{schema=\"7\"} 0.0", "cdc_backlog_age_seconds{schema=\"7\"} 0.0")
                .contains("cdc_backlog_rows{schema=\"8\"} 0.0");
        assertThat(metrics.ageOfBacklog()).isZero();
    }

    @Test
    void theLagOfAFileIsThatOfItsOldestRow() {
        FileContents contents =
                new FileContents(10, 123, "sha256:", null, new FileContents.VersionRange(ago(40), ago(20)), Map.of());
        metrics.fileFlushed(7, new FlushedFile("key", contents), 9);
        assertThat(metrics())
                .contains("cdc_flush_lag_seconds_sum{schema=\"7\"} 40.0", "cdc_flush_lag_seconds_count{schema=\"7\"} 1")
                .contains("cdc_flushed_rows_total{schema=\"7\"} 10.0", "cdc_flushed_bytes_total{schema=\"7\"} 123.0");
    }

    @Test
    void whatIsUnknownAndWhatDidNotFitIsCounted() {
        metrics.schemaFinished(flush(FlushReport.Outcome.UNKNOWN, 3, 0));
        metrics.schemaFinished(flush(FlushReport.Outcome.FLUSHED, 3, 3));
        metrics.compactionFinished(compaction(CompactionReport.Outcome.UNKNOWN, 50));
        metrics.compactionFinished(compaction(CompactionReport.Outcome.COMPACTED, 60));
        metrics.exportFinished(export(BaseExportReport.Outcome.UNKNOWN));
        assertThat(metrics())
                .contains("cdc_commits_unknown_total{schema=\"7\",task=\"flush\"} 1.0")
                .contains("cdc_commits_unknown_total{schema=\"7\",task=\"compaction\"} 1.0")
                .contains("cdc_commits_unknown_total{schema=\"7\",task=\"export\"} 1.0")
                .contains("cdc_lossy_casts_total{attribute=\"written\",schema=\"7\"} 12.0")
                .contains("cdc_compaction_written_bytes_total{schema=\"7\"} 110.0")
                .contains("cdc_flush_seconds_count{outcome=\"unknown\",schema=\"7\"} 1")
                .contains("cdc_compaction_seconds_sum{outcome=\"compacted\",schema=\"7\"} 2.0")
                .contains("cdc_export_seconds_count{outcome=\"unknown\",schema=\"7\"} 1");
    }

    @Test
    void tiersAreAsTheManifestWasLastSeenAndConflictsAreCounted() {
        metrics.manifestSeen(
                size(Map.of("delta", new ManifestSize.Tier(3, 300), "archive", new ManifestSize.Tier(1, 9)), 0));
        assertThat(metrics())
                .contains("cdc_files{schema=\"7\",tier=\"delta\"} 3.0", "cdc_files{schema=\"7\",tier=\"archive\"} 1.0")
                .contains(
                        "cdc_files{schema=\"7\",tier=\"base\"} 0.0", "cdc_manifest_conflicts_total{schema=\"7\"} 0.0");

        metrics.manifestConflict(7);
        metrics.manifestSeen(size(Map.of("base", new ManifestSize.Tier(1, 250)), 4));
        assertThat(metrics())
                .contains(
                        "cdc_files_bytes{schema=\"7\",tier=\"delta\"} 0.0",
                        "cdc_files_bytes{schema=\"7\",tier=\"base\"} 250.0")
                .contains("cdc_files{schema=\"7\",tier=\"archive\"} 0.0", "cdc_files_retired{schema=\"7\"} 4.0")
                .contains("cdc_manifest_conflicts_total{schema=\"7\"} 1.0");
    }

    @Test
    void theDebtIsWhatWasLastFoundToBeDue() {
        metrics.compactionDue(7, 3, 300);
        metrics.compactionDue(7, 2, 200);
        assertThat(metrics())
                .contains("cdc_compaction_due_files{schema=\"7\"} 2.0", "cdc_compaction_due_bytes{schema=\"7\"} 200.0");
    }

    @Test
    void theAgeOfSnapshotsIsThatOfTheOldestOneOpen() {
        OpenSnapshot older = new OpenSnapshot(7, NOW.minusSeconds(60));
        metrics.snapshotOpened(older);
        metrics.snapshotOpened(new OpenSnapshot(8, NOW.minusSeconds(30)));
        assertThat(metrics()).contains("cdc_snapshot_age_seconds 60.0");
        metrics.snapshotClosed(older);
        assertThat(metrics()).contains("cdc_snapshot_age_seconds 30.0");
    }

    @Test
    void theMostMemoryIsKept() {
        metrics.duckDbMemory(400, 7);
        metrics.duckDbMemory(100, 0);
        assertThat(metrics()).contains("cdc_duckdb_memory_bytes_max 400.0", "cdc_duckdb_spilled_bytes_max 7.0");
    }

    private List<String> metrics() {
        return registry.scrape().lines().toList();
    }

    private static long ago(int seconds) {
        return NOW.minusSeconds(seconds).toEpochMilli();
    }

    private static ManifestSize size(Map<String, ManifestSize.Tier> tiers, int retired) {
        return new ManifestSize(7, 1, tiers, retired);
    }

    /** Of two seconds, with four values that did not fit. */
    private static SchemaFlush flush(FlushReport.Outcome outcome, long dirtyRows, long markedRows) {
        CdcException error = outcome == FlushReport.Outcome.FLUSHED ? null : new CdcException("broken");
        return new SchemaFlush(
                7,
                outcome,
                dirtyRows,
                0,
                markedRows,
                List.of(),
                0,
                0,
                Map.of("written", 4L),
                Duration.ofSeconds(2),
                error);
    }

    private static SchemaCompaction compaction(CompactionReport.Outcome outcome, long bytesWritten) {
        return new SchemaCompaction(7, outcome, 0, 0, 0, 0, 0, bytesWritten, Duration.ofSeconds(2), null);
    }

    private static BaseExportReport export(BaseExportReport.Outcome outcome) {
        return new BaseExportReport(
                7, outcome, 0, List.of(), 0, 0, 0, 0, Map.of("written", 4L), Duration.ofSeconds(2), null);
    }
}
