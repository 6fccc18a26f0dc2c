package io.formacdc.examples.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.formacdc.examples.localstack.LocalPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

class ServiceIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final String NOTE = "{schema=\"1\"}";

    private LocalParts parts;

    @TempDir
    private Path folder;

    @BeforeEach
    void startParts() throws SQLException {
        parts = new LocalParts(LocalPostgres.shared().createDatabase());
    }

    @AfterEach
    void stopParts() {
        parts.close();
    }

    @Test
    void theScheduleFlushesAndCompactsAndTheMetricsSayWhatWasDone() throws SQLException, IOException {
        Path log = folder.resolve("service.log");
        parts.write(1_000);
        try (ConfigurableApplicationContext service = start(
                "--logging.file.name=" + log,
                "--logging.level.io.formacdc=debug",
                "--logging.level.com.zaxxer.hikari=debug",
                "--management.endpoints.web.exposure.include=*")) {
            awaitMetric(service, "cdc_flushed_rows_total" + NOTE, 1_000);
            awaitMetric(service, files("base"), 1);
            parts.write(500);
            awaitMetric(service, "cdc_flushed_rows_total" + NOTE, 1_500);
            awaitMetric(service, "cdc_files_retired" + NOTE, 3); // two deltas, and the first base
            awaitMetric(service, "cdc_backlog_rows" + NOTE, 0);

            Map<String, Double> metrics = metrics(service);
            assertThat(metrics)
                    .containsEntry(files("base"), 1.0)
                    .containsEntry(files("delta"), 0.0)
                    .containsEntry("cdc_files_bytes{schema=\"1\",tier=\"delta\"}", 0.0)
                    .containsEntry("cdc_backlog_age_seconds" + NOTE, 0.0)
                    .containsEntry("cdc_flush_lag_seconds_count" + NOTE, 2.0)
                    .containsEntry("cdc_lossy_casts_total{attribute=\"written\",schema=\"1\"}", 2.0)
                    .containsEntry("cdc_commits_unknown_total{schema=\"1\",task=\"flush\"}", 0.0)
                    .containsEntry("cdc_commits_unknown_total{schema=\"1\",task=\"compaction\"}", 0.0)
                    .containsEntry("cdc_compaction_due_files" + NOTE, 0.0)
                    .containsEntry("cdc_compaction_due_bytes" + NOTE, 0.0)
                    .containsEntry("cdc_compaction_seconds_count{outcome=\"compacted\",schema=\"1\"}", 2.0)
                    .containsEntry("cdc_flush_seconds_count{outcome=\"flushed\",schema=\"1\"}", 2.0)
                    .containsKeys("cdc_manifest_conflicts_total" + NOTE, "cdc_snapshot_age_seconds");
            assertThat(metrics.get("cdc_files_bytes{schema=\"1\",tier=\"base\"}"))
                    .isEqualTo(
                            (double) parts.sizeOf(parts.listed().base().get(0).key()));
            assertThat(metrics.get("cdc_flush_lag_seconds_sum" + NOTE)).isBetween(0.001, 60.0);
            assertThat(metrics.get("cdc_duckdb_memory_bytes_max")).isBetween(1e5, 4e9);

            assertThat(get(service, "health").statusCode()).isEqualTo(200);
            assertThat(get(service, "health").body())
                    .contains(
                            "\"db\":{\"status\":\"UP\"", "\"bucket\":{\"status\":\"UP\"", "\"cdc\":{\"status\":\"UP\"")
                    .contains("lastRuns", "ageOfBacklog");
            assertThat(get(service, "env").body()).contains("spring.datasource.password");
            assertHoldsNoSecret(get(service, "env").body());
            assertHoldsNoSecret(get(service, "configprops").body());
        }
        assertHoldsNoSecret(Files.readString(log));
    }

    @Test
    void aMissingBucketAndAFailedRunAreTheHealthsBusiness() throws SQLException {
        parts.write(10);
        try (ConfigurableApplicationContext service = start("--cdc.bucket=nowhere")) {
            await().until(() -> get(service, "health").body().contains("\"flush\":{\"ended\""));

            HttpResponse<String> health = get(service, "health");
            assertThat(health.statusCode()).isEqualTo(503);
            assertThat(health.body())
                    .contains("\"bucket\":{\"status\":\"DOWN\"", "\"cdc\":{\"status\":\"DOWN\"")
                    .contains("\"failure\":\"schema 1, ")
                    .contains("\"db\":{\"status\":\"UP\"");
        }
    }

    @Test
    void aStopInTheMiddleOfAPassLeavesNothingHalfDone() throws SQLException {
        parts.write(2_000);
        parts.execute("ALTER TABLE entity_main RENAME TO entity_real");
        parts.execute("CREATE VIEW entity_main AS SELECT e.* FROM entity_real e, LATERAL (SELECT pg_sleep(0.05)) s");
        ConfigurableApplicationContext service = start();
        await().until(() -> metrics(service).getOrDefault("cdc_duckdb_memory_bytes_max", 0.0) > 0);

        long begin = System.nanoTime();
        service.close();

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(15));
        assertThat(threads()).noneMatch(name -> name.startsWith("forma-cdc") || name.startsWith("scheduling-"));
        assertThat(parts.count("pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
                .isZero();
        assertThat(parts.count("change_log WHERE flushed_at = 0")).isEqualTo(2_000);
        assertThat(parts.objects()).isEmpty();

        parts.execute("DROP VIEW entity_main");
        parts.execute("ALTER TABLE entity_real RENAME TO entity_main");
        try (ConfigurableApplicationContext again = start()) {
            awaitMetric(again, "cdc_flushed_rows_total" + NOTE, 2_000);
        }
        assertThat(parts.count("change_log WHERE flushed_at = 0")).isZero();
    }

    private ConfigurableApplicationContext start(String... more) {
        List<String> often = List.of(
                "--server.port=0", "--cdc.flush-every=100ms", "--cdc.compact-every=100ms", "--cdc.sweep-every=100ms");
        return parts.start(Stream.concat(often.stream(), Stream.of(more)).toArray(String[]::new));
    }

    private static String files(String tier) {
        return "cdc_files{schema=\"1\",tier=\"" + tier + "\"}";
    }

    private static void awaitMetric(ConfigurableApplicationContext service, String name, double value) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(metrics(service)).containsEntry(name, value));
    }

    /** By name and labels. */
    private static Map<String, Double> metrics(ConfigurableApplicationContext service) {
        return get(service, "prometheus")
                .body()
                .lines()
                .filter(line -> line.startsWith("cdc_"))
                .map(line -> line.split(" "))
                .collect(Collectors.toMap(parts -> parts[0], parts -> Double.parseDouble(parts[1])));
    }

    private static HttpResponse<String> get(ConfigurableApplicationContext service, String endpoint) {
        URI uri = URI.create("http://localhost:" + LocalService.port(service) + "/actuator/" + endpoint);
        try {
            return HTTP.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void assertHoldsNoSecret(String text) {
        assertThat(text.contains(parts.postgres.password())).isFalse();
        assertThat(text.contains(parts.s3.secretKey())).isFalse();
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
    }
}
