package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.JdbcChangeLogStore;
import io.formacdc.core.ManifestConfig;
import io.formacdc.core.ObjectStore.StoredObject;
import io.formacdc.manifest.ManifestStore;
import io.formacdc.manifest.ManifestStoreOptions;
import io.formacdc.s3.S3ListingClient;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** History goes only where a verified manifest covers it. */
@Timeout(60)
final class FlushedPurgeIT {
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    private Path folder;

    private TestHost host;
    private CdcConfig config;
    private Entities entities;

    @BeforeEach
    void flushTenRows() throws SQLException {
        host = new TestHost();
        config = host.config().build();
        entities = new Entities(host, 7).insertMany(10);
        host.flush(Entities.REGISTRY);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void onlyFlushedRowsOlderThanTheTimeGo() throws SQLException {
        long now = 1_700_000_000_000L;
        new Entities(host, 8).insertMany(2);
        host.sql(
                "INSERT INTO change_log VALUES (7, gen_random_uuid(), 0, 5, NULL), (7, gen_random_uuid(), -1, 5, NULL)");
        host.sql("UPDATE change_log SET changed_at = 5, flushed_at = " + (now - HOUR.toMillis())
                + " WHERE flushed_at > 0");
        host.sql("UPDATE change_log SET flushed_at = flushed_at - 1 WHERE row_id = '" + entities.id(1) + "'");
        host.sql("UPDATE change_log SET flushed_at = 5 WHERE schema_id = 8");

        assertThat(purge(now, 3)).isEqualTo(1);

        assertThat(host.count("SELECT count(*) FROM change_log WHERE schema_id = 7"))
                .isEqualTo(11);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE schema_id = 8"))
                .isEqualTo(2);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE row_id = '" + entities.id(1) + "'"))
                .isZero();
        assertThat(purge(now + 1, 3)).isEqualTo(9);
        assertThat(purge(now + 1, 3)).isZero();
        assertThat(host.count("SELECT count(*) FROM change_log WHERE schema_id = 7 AND flushed_at <= 0"))
                .isEqualTo(2);
    }

    @Test
    void whatWasFlushedAfterTheLastSaveOfTheManifestStays() throws Exception {
        StoredObject afterTheFirst = host.store().get(manifestKey());
        long firstSave = manifests().load(7).manifest().updatedAtMillis();
        host.sql("UPDATE change_log SET flushed_at = " + (firstSave - 1));
        entities.updateAll(host.connection);
        host.flush(Entities.REGISTRY);
        Path earlier = Files.write(folder.resolve("earlier.json"), afterTheFirst.content());
        host.store().put(manifestKey(), earlier);

        assertThat(purge(Long.MAX_VALUE / 2, 3)).isEqualTo(10);

        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at >= " + firstSave))
                .isEqualTo(10);
    }

    @Test
    void flushesGoOnAfterwards() throws SQLException {
        age();
        assertThat(Cdc.purgeFlushed(config, host.client, 7, HOUR)).isEqualTo(10);
        assertThat(host.count("SELECT count(*) FROM change_log")).isZero();
        entities.updateAll(host.connection);
        entities.delete(host.connection, entities.id(1), Entities.FIRST_VERSION + 1000);
        host.flush(Entities.REGISTRY);
        entities.assertLakeEqualsPostgres(config);
        assertThat(host.count("SELECT count(*) FROM change_log WHERE flushed_at > 0"))
                .isEqualTo(10);
    }

    /** One listing finds all that the prefix holds. */
    @Test
    void objectsUnderThePrefixAreNotAskedForOneByOne() throws SQLException {
        age();
        S3ListingClient client = (S3ListingClient) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {S3ListingClient.class}, (proxy, method, arguments) -> {
                    assertThat(method.getName()).isNotEqualTo("headObject");
                    try {
                        return method.invoke(host.client, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        assertThat(Cdc.purgeFlushed(config, client, 7, HOUR)).isEqualTo(10);
    }

    @Test
    void aRowThatAWriterHoldsIsNotWaitedFor() throws SQLException {
        age();
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            writer.setAutoCommit(false);
            try (Statement statement = writer.createStatement()) {
                statement.execute("SELECT FROM change_log WHERE row_id = '" + entities.id(3) + "' FOR UPDATE");
            }
            assertThat(Cdc.purgeFlushed(config, host.client, 7, HOUR)).isEqualTo(9);
            writer.rollback();
        }
        assertThat(Cdc.purgeFlushed(config, host.client, 7, HOUR)).isEqualTo(1);
    }

    @Test
    void aMissingObjectKeepsEverything() throws SQLException {
        String key = host.listedKeys(7).get(0);
        host.store().delete(key);
        assertRefused("the listed object \"" + key + "\" is missing");
    }

    @Test
    void anObjectOfAnotherSizeKeepsEverything() throws Exception {
        String key = host.listedKeys(7).get(0);
        byte[] content = host.store().get(key).content();
        Path shorter = Files.write(folder.resolve("short"), Arrays.copyOf(content, content.length - 1));
        host.store().put(key, shorter);
        assertRefused("the object \"" + key + "\" has " + (content.length - 1) + " bytes, and is listed with "
                + content.length);
    }

    @Test
    void anObjectListedFromElsewhereIsVerifiedToo() throws Exception {
        String key = host.listedKeys(7).get(0);
        String elsewhere = host.key("elsewhere/7/moved.parquet");
        host.store().copy(key, elsewhere);
        host.store().delete(key);
        String json = new String(host.store().get(manifestKey()).content(), StandardCharsets.UTF_8);
        writeManifest(json.replace(key, elsewhere));
        age();
        assertThat(Cdc.purgeFlushed(config, host.client, 7, HOUR)).isEqualTo(10);

        host.store().delete(elsewhere);
        host.sql("INSERT INTO change_log VALUES (7, gen_random_uuid(), 5, 5, NULL)");
        assertRefused("the listed object \"" + elsewhere + "\" is missing");
    }

    @Test
    void noManifestKeepsEverything() throws SQLException {
        host.store().delete(manifestKey());
        assertRefused("there is no manifest");
    }

    @Test
    void anEmptyManifestKeepsEverything() throws Exception {
        writeManifest("{\"schema_id\": 7, \"version\": 1, \"updated_at_ms\": 9000000000000, \"base\": [],"
                + " \"delta\": []}");
        assertRefused("the manifest lists nothing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"schema_id\": 8, \"base\": [], \"delta\": []}", "{\"schema_id\": 7"})
    void aManifestThatCannotBeUsedKeepsEverything(String json) throws Exception {
        writeManifest(json);
        age();
        assertThatThrownBy(() -> Cdc.purgeFlushed(config, host.client, 7, HOUR))
                .isInstanceOf(InvalidManifestException.class);
        assertThat(host.count("SELECT count(*) FROM change_log")).isEqualTo(10);
    }

    @Test
    void withoutManifestsNothingIsCovered() throws SQLException {
        age();
        CdcConfig unlisted = config.toBuilder().manifestPrefix("").build();
        assertThatThrownBy(() -> Cdc.purgeFlushed(unlisted, host.client, 7, HOUR))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("set manifestPrefix or manifestTemplate");
        assertThat(host.count("SELECT count(*) FROM change_log")).isEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1})
    void aTimeThatIsNotPositiveIsRefused(long millis) throws SQLException {
        age();
        assertThatThrownBy(() -> Cdc.purgeFlushed(config, host.client, 7, Duration.ofMillis(millis)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("olderThan must be positive");
        assertThat(Cdc.purgeFlushed(config, host.client, 7, Duration.ofSeconds(Long.MAX_VALUE)))
                .isZero();
    }

    @Test
    void aPurgeThatWaitsForTheTableCanBeInterrupted() throws SQLException {
        age();
        Thread purge = Thread.currentThread();
        try (Connection other = host.postgres.dataSource().getConnection()) {
            other.setAutoCommit(false);
            try (Statement statement = other.createStatement()) {
                statement.execute("LOCK TABLE change_log IN ACCESS EXCLUSIVE MODE");
            }
            CompletableFuture<Void> interrupt = CompletableFuture.runAsync(() -> {
                Awaitility.await().atMost(Duration.ofSeconds(20)).until(host::somethingWaits);
                purge.interrupt();
            });
            assertThatThrownBy(() -> Cdc.purgeFlushed(config, host.client, 7, HOUR))
                    .isInstanceOf(CdcInterruptedException.class)
                    .hasMessageContaining("after 0 rows were deleted");
            assertThat(Thread.interrupted()).isTrue();
            interrupt.join();
            other.rollback();
        }
    }

    private void age() throws SQLException {
        host.sql("UPDATE change_log SET flushed_at = 5 WHERE flushed_at > 0");
    }

    private void assertRefused(String reason) throws SQLException {
        age();
        long rows = host.count("SELECT count(*) FROM change_log");
        assertThatThrownBy(() -> Cdc.purgeFlushed(config, host.client, 7, HOUR))
                .isInstanceOf(CdcException.class)
                .hasMessageStartingWith("schema 7: nothing was purged from the change log, " + reason);
        assertThat(host.count("SELECT count(*) FROM change_log")).isEqualTo(rows);
    }

    private long purge(long nowMillis, int batchRows) {
        JdbcChangeLogStore changeLog = new JdbcChangeLogStore(host.postgres.dataSource(), "");
        ListedObjects listed = new ListedObjects(host.store(), config.s3Prefix());
        Clock clock = Clock.fixed(Instant.ofEpochMilli(nowMillis), ZoneOffset.UTC);
        return new FlushedPurge(changeLog, manifests(), listed, clock, batchRows).purge(7, HOUR);
    }

    private ManifestStore manifests() {
        ManifestConfig manifests = ManifestConfig.of(config.withDefaults()).orElseThrow();
        return new ManifestStore(host.store(), manifests, ManifestStoreOptions.DEFAULTS);
    }

    private String manifestKey() {
        return ManifestConfig.of(config.withDefaults()).orElseThrow().keyFor(7);
    }

    private void writeManifest(String json) throws Exception {
        host.store().put(manifestKey(), Files.writeString(folder.resolve("manifest.json"), json));
    }
}
