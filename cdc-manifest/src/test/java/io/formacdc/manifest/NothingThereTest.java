package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.CONFIG;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.OPTIONS;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.add;
import static io.formacdc.manifest.Manifests.objectsWithAnyFile;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.Outcome;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.MemoryObjectStore;
import java.time.Clock;
import org.junit.jupiter.api.Test;

/** A wrong prefix finds nothing, and that is told from a lake in order. */
class NothingThereTest {
    private static final String NO_MANIFEST =
            "there is no manifest \"" + MANIFEST_KEY + "\"; check manifestPrefix and manifestTemplate";

    private final MemoryObjectStore objects = objectsWithAnyFile();
    private final ManifestStore manifests = new ManifestStore(objects, CONFIG, OPTIONS);

    @Test
    void aCompactionOfANamedSchemaWithoutAManifestSaysSo() {
        try (LogLines log = new LogLines(io.formacdc.manifest.SchemaCompaction.class)) {
            SchemaCompaction done =
                    compactor("data", SCHEMA).runOnce().schemas().get(0);
            assertThat(done.outcome()).isEqualTo(Outcome.NO_MANIFEST);
            assertThat(log.warnings()).containsExactly("schema 7: " + NO_MANIFEST);
        }
        assertThat(compactor("data", 0).plan(SCHEMA).explain().strip())
                .isEqualTo("schema 7: nothing to compact, " + NO_MANIFEST);
    }

    @Test
    void aCompactionOfAllSchemasThatFindsNoneSaysSo() {
        try (LogLines log = new LogLines(Compactor.class)) {
            assertThat(compactor("data", 0).runOnce().schemas()).isEmpty();
            assertThat(log.warnings()).singleElement().asString().contains("no manifest under \"root/manifest/\"");
        }
    }

    @Test
    void aCompactionWithAnotherPrefixThanThatOfTheFilesSaysSo() {
        manifests.update(SCHEMA, add(ManifestEntry.BASE, Entries.baseKey(1)));
        assertThat(compactor("data", 0).plan(SCHEMA).explain()).doesNotContain("s3Prefix");
        assertThat(compactor("elsewhere", 0).plan(SCHEMA).explain())
                .contains("lists no file under \"elsewhere/7/\"", "check s3Prefix", Entries.baseKey(1));
        try (LogLines log = new LogLines(io.formacdc.manifest.SchemaCompaction.class)) {
            compactor("elsewhere", SCHEMA).runOnce();
            assertThat(log.warnings()).singleElement().asString().contains("\"elsewhere/7/\"");
        }
    }

    @Test
    void aSweepThatFindsNoManifestSaysWhereItLooked() {
        Sweeper sweeper = new Sweeper(objects, manifests, "data", SweepOptions.DEFAULTS, Clock.systemUTC());
        assertThat(sweeper.sweep(SCHEMA).explain().strip()).isEqualTo("schema 7: nothing is swept, " + NO_MANIFEST);
        try (LogLines log = new LogLines(Sweeper.class)) {
            assertThat(sweeper.sweep()).isEmpty();
            assertThat(log.warnings()).singleElement().asString().contains("no manifest under \"root/manifest/\"");
        }
    }

    private Compactor compactor(String prefix, int schemaId) {
        CdcConfig config = CdcConfig.builder().s3Prefix(prefix).build();
        CompactionConfig compaction =
                CompactionConfig.builder().schemaId(schemaId).build().withDefaults();
        Compactor.Ports ports = new Compactor.Ports(objects, manifests, id -> {
            throw new IllegalStateException("nothing is merged here");
        });
        return new Compactor(config, compaction, ports, CdcListener.NONE, Clock.systemUTC());
    }
}
