package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.s3.S3FullClient;
import io.formacdc.s3.S3ListingClient;
import io.formacdc.s3.S3ObjectClient;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Writers and failures between the steps of a flush by DuckDB's extensions. */
class ExtensionRaces {
    private static final int ROWS = 40;
    private static final String READ = "CREATE TEMP TABLE";

    private static int lastSchemaId;
    private static TestHost host;

    @TempDir
    private Path folder;

    private Entities entities;
    private CdcConfig config;
    private StandInExtensions duckDb;

    @BeforeAll
    static void start() throws SQLException {
        host = new TestHost();
    }

    @AfterAll
    static void stop() throws SQLException {
        host.close();
    }

    @BeforeEach
    void createEntities() throws SQLException {
        host.sql("DELETE FROM change_log");
        entities = new Entities(host, ++lastSchemaId).insertMany(ROWS);
        config = host.config()
                .s3Prefix(host.key("races" + lastSchemaId))
                .spillDirectory(folder.resolve("spill").toString())
                .build();
        duckDb = new StandInExtensions(host, folder);
    }

    private SchemaFlush flush(S3ObjectClient client) {
        return new ExtensionFlush(host, config, client, duckDb)
                .run(Entities.REGISTRY)
                .schema(entities.schemaId)
                .orElseThrow();
    }

    private void once(String statement, boolean done, StandInExtensions.Step write) {
        boolean[] called = new boolean[1];
        duckDb.step = (sql, isDone) -> {
            if (sql.startsWith(statement) && isDone == done && !called[0]) {
                called[0] = true;
                write.at(sql, isDone);
            }
        };
    }

    /** An update, a deletion and an insertion of the writers. */
    private Set<UUID> write() throws SQLException {
        long version = Entities.FIRST_VERSION + 1_000_000;
        try (Connection writer = host.postgres.dataSource().getConnection()) {
            writer.setAutoCommit(false);
            entities.update(writer, entities.id(1), version);
            entities.delete(writer, entities.id(2), version);
            entities.recreate(writer, entities.id(3), version);
            entities.insert(writer, entities.id(ROWS + 1), version);
            writer.commit();
        }
        return new TreeSet<>(List.of(entities.id(1), entities.id(2), entities.id(3), entities.id(ROWS + 1)));
    }

    @Test
    void rowsWrittenAfterTheyWereReadStayDirty() throws SQLException {
        Set<UUID> written = new TreeSet<>();
        once(READ, true, (sql, done) -> written.addAll(write()));
        SchemaFlush flushed = flush(host.client);
        assertThat(flushed.rows()).isEqualTo(ROWS);
        assertThat(flushed.markedRows()).isEqualTo(ROWS - 3);
        assertThat(entities.dirty()).isEqualTo(written);
        entities.assertViewEqualsPostgres(config);
        assertThat(flush(host.client).rows()).isEqualTo(4);
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void rowsWrittenBeforeTheyAreReadAreFlushedAsTheyAreThen() throws SQLException {
        once(READ, false, (sql, done) -> write());
        SchemaFlush flushed = flush(host.client);
        assertThat(flushed.rows()).isBetween((long) ROWS, ROWS + 1L);
        assertThat(flushed.markedRows()).isEqualTo(flushed.rows());
        if (!entities.dirty().isEmpty()) {
            flush(host.client); // the new row, if its id is beyond the chunk
        }
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void chunkOfWhichAnotherFlushHasMarkedAllIsGivenUp() throws SQLException {
        once(READ, false, (sql, done) -> host.sql("UPDATE change_log SET flushed_at = 1"));
        assertThat(flush(host.client).outcome()).isEqualTo(Outcome.FENCED);
        assertThat(keys()).isEmpty();
    }

    /** Each statement of DuckDB fails before and after it took effect: nothing is listed, staged or left in DuckDB. */
    @ParameterizedTest
    @CsvSource({
        "LOAD httpfs, false", "CREATE SECRET, false", "CREATE SECRET, true", "ATTACH, false", "ATTACH, true",
        "CREATE TEMP TABLE, false", "CREATE TEMP TABLE, true", "SELECT row_id, false", "COPY, false", "COPY, true",
        "SELECT count, false"
    })
    void statementThatFailsLeavesNothingBehind(String statement, boolean done) throws SQLException {
        once(statement, done, (sql, isDone) -> {
            throw new SQLException("injected: " + sql);
        });
        Throwable thrown = catchThrowable(() -> flush(host.client));
        assertThat(thrown).isInstanceOf(SchemaFlushException.class).hasMessageContaining("schema " + entities.schemaId);
        assertNoSecret(thrown);
        assertThat(entities.dirty()).hasSize(ROWS);
        assertThat(keys()).isEmpty();
        assertThat(host.listedKeys(entities.schemaId)).isEmpty();
        if (!statement.startsWith("LOAD")) {
            assertThat(duckDb.statements).contains(ExtensionSql.dropRows(), ExtensionSql.detach());
            assertThat(duckDb.statements.get(duckDb.statements.size() - 1)).isEqualTo(ExtensionSql.dropSecret());
        }
        assertThat(folder.resolve("spill")).isEmptyDirectory();
        flush(host.client);
        entities.assertLakeEqualsPostgres(config);
    }

    /** The host's client fails. */
    @ParameterizedTest
    @CsvSource({"copy, false", "copy, true", "delete, false"})
    void requestThatFailsLeavesNothingListedThatIsNotThere(String request, boolean done) throws SQLException {
        Throwable thrown = catchThrowable(() -> flush(failing(request, done)));
        if (request.equals("copy")) {
            assertThat(thrown).isInstanceOf(SchemaFlushException.class).hasMessageContaining("copyObject");
            assertThat(entities.dirty()).hasSize(ROWS);
            assertThat(keys()).isEmpty();
            flush(host.client);
        } else {
            // Promoted; the staged object is left to a sweep.
            assertThat(thrown).isNull();
            assertThat(keys()).hasSize(2).anyMatch(key -> key.contains("/_tmp/"));
        }
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void clientThatOnlyCopiesAndDeletesIsEnoughWithoutManifest() throws SQLException {
        config = config.toBuilder().manifestPrefix("").build();
        SchemaFlush flushed = flush(new CopyAndDelete(host.client));
        assertThat(flushed.markedRows()).isEqualTo(ROWS);
        assertThat(keys()).containsExactlyElementsOf(flushed.keys()).noneMatch(key -> key.contains("/_tmp/"));
        entities.assertLakeEqualsPostgres(config);
    }

    @Test
    void everyStatementIsOfOneSessionWhoseSecretsAreScopedAndDropped() {
        flush(host.client);
        assertThat(duckDb.statements)
                .filteredOn(sql -> sql.contains("CREATE SECRET"))
                .singleElement()
                .asString()
                .contains("SCOPE 's3://" + host.bucket() + "'");
        assertThat(duckDb.statements.stream().filter(sql -> sql.contains("postgres_query")))
                .hasSize(1);
        assertThat(duckDb.statements.subList(duckDb.statements.size() - 3, duckDb.statements.size()))
                .containsExactly(ExtensionSql.dropRows(), ExtensionSql.detach(), ExtensionSql.dropSecret());
        int locked = duckDb.statements.indexOf("SET lock_configuration = true");
        assertThat(locked).isBetween(1, duckDb.statements.indexOf(ExtensionSql.dropRows()));
    }

    @Test
    void exportThatTakesTooLongIsEnded() throws SQLException {
        config = config.toBuilder().queryTimeout(Duration.ofNanos(1)).build();
        assertThat(catchThrowable(() -> flush(host.client)))
                .isInstanceOf(SchemaFlushException.class)
                .hasMessageContaining("the export took longer than queryTimeout PT");
        assertThat(entities.dirty()).hasSize(ROWS);
        assertThat(keys()).isEmpty();
    }

    /** The password of a local server may be a word that messages hold anyway. */
    private static void assertNoSecret(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            assertThat(String.valueOf(t)).doesNotContain(TestHost.s3().secretKey());
            assertThat(t.getSuppressed())
                    .allSatisfy(suppressed -> assertThat(String.valueOf(suppressed))
                            .doesNotContain(TestHost.s3().secretKey()));
        }
    }

    private List<String> keys() {
        return host.dataKeys().stream()
                .filter(key -> key.startsWith(config.s3Prefix() + "/"))
                .toList();
    }

    /** Fails the first request of a kind, before or after it took effect. */
    private static S3FullClient failing(String request, boolean done) {
        boolean[] failed = new boolean[1];
        return (S3FullClient) Proxy.newProxyInstance(
                ExtensionRaces.class.getClassLoader(),
                new Class<?>[] {S3ListingClient.class},
                (proxy, method, args) -> {
                    boolean fails = method.getName().startsWith(request) && !failed[0];
                    if (fails && !done) {
                        failed[0] = true;
                        throw new IllegalStateException("injected");
                    }
                    try {
                        Object result = method.invoke(host.client, args);
                        if (fails) {
                            failed[0] = true;
                            throw new IllegalStateException("injected");
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                    }
                });
    }
}
