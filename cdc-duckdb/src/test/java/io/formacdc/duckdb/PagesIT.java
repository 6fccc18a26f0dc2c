package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.Attribute;
import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.TableName;
import io.formacdc.core.UuidV7;
import io.formacdc.core.ValueType;
import io.formacdc.manifest.FileSchemaRegistry;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3ListingClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the pages for operators and readers promise, done. */
class PagesIT {
    private static final Path PAGES = Path.of("..", ".github");

    private TestHost host;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void theDuckDbSqlOfTheReadersPageSeesTheLake(@TempDir Path bucket) throws Exception {
        List<UUID> ids = List.of(UuidV7.next(), UuidV7.next(), UuidV7.next());
        SchemaRegistry registry = TestHost.registry(
                7,
                new SchemaAttributes(
                        "things",
                        List.of(
                                Attribute.bound("text_01", 1, ValueType.TEXT, "text_01"),
                                Attribute.bound("place", 2, ValueType.BIGINT, "bigint_01"))));
        for (UUID id : ids) {
            host.insert(7, id, 1);
        }
        host.sql("UPDATE entity_main SET bigint_01 = 2");
        Cdc.exportBase(host.config().build(), host.client, 7, BaseExportOptions.DEFAULTS, registry);
        host.sql("UPDATE entity_main SET text_01 = 'new', ltbase_updated_at = 2 WHERE ltbase_row_id = ?", ids.get(0));
        host.sql("UPDATE change_log SET changed_at = 2 WHERE row_id = ?", ids.get(0));
        host.sql("UPDATE change_log SET changed_at = 2, deleted_at = 2 WHERE row_id = ?", ids.get(1));
        host.flush(registry);
        for (ObjectInfo object : host.objects()) {
            Path copy = bucket.resolve(object.key());
            Files.createDirectories(copy.getParent());
            host.store().download(object.key(), copy);
        }
        String sql = blocks("READERS.md", "sql")
                .get(0)
                .replace("s3://my-bucket/manifest/7.json", bucket.resolve(host.key("manifest/7.json")) + "")
                .replace("s3://my-bucket/", bucket + "/");
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement();
                Lake lake = host.lake(7)) {
            statement.execute(sql);
            String rows = " ORDER BY row_id";
            assertThat(TestHost.rows(duckDb, "SELECT row_id, changed_at, text_01 FROM entities" + rows))
                    .containsExactlyInAnyOrder(row(ids.get(0), "2", "new"), row(ids.get(2), "1", null));
            assertThat(TestHost.rows(duckDb, "SELECT * FROM entities" + rows))
                    .isEqualTo(TestHost.rows(lake.connection(), "SELECT * FROM lake" + rows));
        }
    }

    @Test
    void theGrantsOfTheOperatingPageAreEnoughAndNoneIsTooMany() throws SQLException {
        String role = "forma_cdc_" + UUID.randomUUID().toString().replace("-", "");
        host.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'of this test'");
        try {
            host.sql("REVOKE ALL ON SCHEMA public FROM PUBLIC");
            CdcConfig config =
                    host.config().pgUser(role).pgPassword("of this test").build();
            List<String> always = grants(0, role);
            List<String> purge = grants(1, role).subList(0, 1);
            List<String> registry = grants(1, role).subList(1, 2);
            assertEachIsNeeded(always, () -> flush(config));
            assertEachIsNeeded(purge, () -> Cdc.purgeFlushed(config, host.client, 7, Duration.ofHours(1)));
            assertEachIsNeeded(registry, () -> readSchemaIds(config));
            Cdc.exportBase(config, host.client, 7, BaseExportOptions.DEFAULTS.replacingDeltas(), null);
            Cdc.reconcile(config, host.client, 7, ReconcileReport.Depth.CONTENTS);
            Cdc.repair(config, host.client, 7);
        } finally {
            host.sql("DROP OWNED BY " + role);
            host.sql("DROP ROLE " + role);
        }
    }

    @Test
    void theCallsOfTheOperatingPageAreThoseThatAreMade() throws Exception {
        Set<String> called = new ConcurrentSkipListSet<>();
        S3ListingClient client = (S3ListingClient) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {S3ListingClient.class}, (proxy, method, arguments) -> {
                    try {
                        if (method.getDeclaringClass() != Object.class) {
                            called.add(method.getName());
                        }
                        return method.invoke(host.client, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        CdcConfig config = host.config().build();
        host.insert(7, UuidV7.next(), 1);
        Cdc.runOnce(config, client, false, null);
        Cdc.exportBase(config, client, 7, BaseExportOptions.DEFAULTS.replacingDeltas(), null);
        Cdc.compact(config, CompactionConfig.builder().build(), client);
        Cdc.sweep(config, SweepOptions.DEFAULTS, client);
        Set<String> onThePage = new TreeSet<>();
        page("OPERATING.md")
                .lines()
                .filter(line -> line.contains("`s3:"))
                .flatMap(line -> Pattern.compile("^\\| `(\\w+)`").matcher(line).results())
                .forEach(call -> onThePage.add(call.group(1).substring(0, 1).toLowerCase(Locale.ROOT)
                        + call.group(1).substring(1)));
        assertThat(called).isEqualTo(onThePage);
    }

    /** Grants what is missing, sees the work done, and sees it refused without any one of the grants. */
    private void assertEachIsNeeded(List<String> grants, Runnable work) {
        grants.forEach(this::execute);
        work.run();
        for (String grant : grants) {
            execute(grant.replaceFirst("GRANT", "REVOKE").replaceFirst(" TO ", " FROM "));
            assertThatThrownBy(work::run).as("without " + grant).isInstanceOf(CdcException.class);
            execute(grant);
        }
        work.run();
    }

    private void flush(CdcConfig config) {
        try {
            host.insert(7, UuidV7.next(), 1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        Cdc.runOnce(config, host.client, false, null);
    }

    private static void readSchemaIds(CdcConfig config) {
        try (Connection connection = PgDataSources.of(config.withDefaults()).getConnection()) {
            FileSchemaRegistry.readSchemaIds(connection, TableName.parse("schema_registry"));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void execute(String sql) {
        try {
            host.sql(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    private static List<String> grants(int block, String role) {
        return blocks("OPERATING.md", "sql")
                .get(block)
                .lines()
                .map(line -> line.replace("forma_cdc;", role))
                .toList();
    }

    private static List<@Nullable String> row(UUID id, String version, @Nullable String text) {
        return Arrays.asList(id.toString(), version, text);
    }

    static List<String> blocks(String page, String language) {
        return Pattern.compile("^```" + language + "\\R(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page(page))
                .results()
                .map((MatchResult block) -> block.group(1))
                .toList();
    }

    static String page(String name) {
        try {
            return Files.readString(PAGES.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
