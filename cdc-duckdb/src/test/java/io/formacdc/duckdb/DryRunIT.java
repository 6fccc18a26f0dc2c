package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.FlushReport;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.SchemaFlushException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
