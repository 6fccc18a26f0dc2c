package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.Attribute;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaAttributes;
import io.formacdc.core.SchemaFlushException;
import io.formacdc.core.ValueType;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A dry run changes no byte anywhere, and says what the real one then does. */
final class DryRunIT {
    @TempDir
    private Path spill;

    @Test
    void dryRunWritesNothingAndForetellsTheRealRun() throws SQLException {
        try (TestHost host = new TestHost()) {
            CdcConfig config = host.config()
                    .batchSize(10)
                    .minRecords(5)
                    .maxAgeMs(Long.MAX_VALUE)
                    .spillDirectory(spill.toString())
                    .build();
            Entities listedBefore = new Entities(host, 7).insertMany(25);
            host.flush(Entities.REGISTRY);
            listedBefore.update(host.connection, listedBefore.id(1), Entities.FIRST_VERSION + 100);
            for (int n = 2; n <= 20; n++) {
                listedBefore.delete(host.connection, listedBefore.id(n), Entities.FIRST_VERSION + 100);
            }
            new Entities(host, 8).insertMany(4);
            new Entities(host, 9).insertMany(31);
            List<ObjectInfo> objects = host.objects();
            String tables = host.tables();

            FlushReport dry = Cdc.runOnce(config, host.client, true, Entities.REGISTRY);

            assertThat(host.objects()).isEqualTo(objects);
            assertThat(host.tables()).isEqualTo(tables);
            Leftovers.assertNone(host, spill);
            assertThat(dry.dryRun()).isTrue();
            assertThat(dry.schemas())
                    .extracting(SchemaFlush::outcome)
                    .containsExactly(Outcome.DRY_RUN, Outcome.BELOW_THRESHOLD, Outcome.DRY_RUN);
            assertThat(dry.schemas()).allMatch(s -> s.keys().isEmpty() && s.bytes() == 0 && s.markedRows() == 0);

            FlushReport real = Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
            assertThat(real.schemas()).extracting(SchemaFlush::rows).containsExactly(20L, 0L, 31L);
            for (SchemaFlush flush : real.schemas()) {
                SchemaFlush foretold = dry.schema(flush.schemaId()).orElseThrow();
                assertThat(foretold.rows()).isEqualTo(flush.rows());
                assertThat(foretold.chunks()).isEqualTo(flush.chunks());
                assertThat(foretold.dirtyRows()).isEqualTo(flush.dirtyRows());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRoleThatMayNotMarkPutsNothing(boolean dryRun) throws SQLException {
        String role = "reader_" + UUID.randomUUID().toString().replace("-", "");
        try (TestHost host = new TestHost()) {
            new Entities(host, 7).insertMany(1);
            host.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'of this test'");
            host.sql("GRANT SELECT ON change_log, entity_main, eav_data TO " + role);
            CdcConfig config =
                    host.config().pgUser(role).pgPassword("of this test").build();
            Throwable thrown = catchThrowable(() -> Cdc.runOnce(config, host.client, dryRun, Entities.REGISTRY));
            assertThat(thrown)
                    .isInstanceOf(CdcException.class)
                    .hasMessageStartingWith("role " + role + " may not update flushed_at of \"change_log\"");
            assertThat(host.objects()).isEmpty();
            host.sql("DROP OWNED BY " + role);
            host.sql("DROP ROLE " + role);
        }
    }

    /** What a policy hides would be NULL in the lake, or never flushed, and nobody would be told. */
    @ParameterizedTest
    @CsvSource({
        "change_log, true",
        "change_log, false",
        "entity_main, true",
        "entity_main, false",
        "eav_data, true",
        "eav_data, false"
    })
    void aRoleFromWhichPoliciesMayHideRowsPutsNothing(String table, boolean dryRun) throws SQLException {
        String role = "restricted_" + UUID.randomUUID().toString().replace("-", "");
        try (TestHost host = new TestHost()) {
            new Entities(host, 7).insertMany(1);
            host.sql("CREATE ROLE " + role + " LOGIN PASSWORD 'of this test'");
            host.sql("GRANT SELECT ON change_log, entity_main, eav_data TO " + role);
            host.sql("GRANT UPDATE (flushed_at) ON change_log TO " + role);
            host.sql("ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY");
            CdcConfig config =
                    host.config().pgUser(role).pgPassword("of this test").build();
            assertThatThrownBy(() -> Cdc.runOnce(config, host.client, dryRun, Entities.REGISTRY))
                    .isInstanceOf(CdcException.class)
                    .hasMessageContaining("\"" + table + "\" applies to role " + role)
                    .hasMessageContaining("ALTER ROLE " + role + " BYPASSRLS");
            assertThat(host.objects()).isEmpty();
            host.sql("ALTER ROLE " + role + " BYPASSRLS");
            assertThat(Cdc.runOnce(config, host.client, dryRun, Entities.REGISTRY)
                            .rows())
                    .isEqualTo(1);
            host.sql("DROP OWNED BY " + role);
            host.sql("DROP ROLE " + role);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBindingThatCannotBeMeantPutsNothing(boolean dryRun) throws SQLException {
        SchemaAttributes attributes =
                new SchemaAttributes("things", List.of(Attribute.bound("ref", 1, ValueType.UUID, "bigint_01")));
        try (TestHost host = new TestHost()) {
            new Entities(host, 7).insertMany(1);
            Throwable thrown = catchThrowable(
                    () -> Cdc.runOnce(host.config().build(), host.client, dryRun, TestHost.registry(7, attributes)));
            assertThat(thrown)
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("attribute \"ref\" is UUID, of which column bigint_01");
            assertThat(host.objects()).isEmpty();
        }
    }

    @Test
    void dryRunRefusesWhatTheRealRunRefuses() throws SQLException {
        try (TestHost host = new TestHost()) {
            new Entities(host, 7).insertMany(1);
            Throwable thrown = catchThrowable(
                    () -> Cdc.runOnce(host.config().build(), host.client, true, schemaId -> Optional.empty()));
            assertThat(thrown)
                    .isInstanceOf(SchemaFlushException.class)
                    .hasMessageContaining("the schema registry does not know schema 7");
            assertThat(host.objects()).isEmpty();
        }
    }
}
