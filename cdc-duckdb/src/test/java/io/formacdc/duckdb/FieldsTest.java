package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No field of a configuration is without a test that fails when the field is ignored; here is which. */
class FieldsTest {
    private static final String FLUSH = """
            changeLogTable          FieldsIT.tablesMayHaveOtherNames
            entityMainTable         FieldsIT.tablesMayHaveOtherNames
            eavDataTable            FieldsIT.tablesMayHaveOtherNames
            minRecords              PassIT.manyRowsAreFlushedHoweverYoung
            maxAgeMs                PassIT.fewYoungRowsWaitUntilTheyAreManyOrOld
            batchSize               PassIT.drainsWhatIsDirtyInChunksAndReportsIt
            duckDbPath              FieldsIT.duckDbWorksInTheNamedFile
            duckThreads             FieldsIT.duckDbHasTheThreadsAndTheMemoryOfTheConfiguration
            duckMemLimit            FieldsIT.duckDbHasTheThreadsAndTheMemoryOfTheConfiguration
            queryTimeout            InterruptIT.queryTimeoutEndsAnExportThatPostgresKeepsWaiting
            parquetCompression      ParquetShapeIT.theCodecIsTheConfiguredOneAndTheFormatIsVersion2
            parquetCompressionLevel FieldsIT.higherLevelCompressesMore
            estimatedRowBytes       PassIT.bytesOfABatchBoundItsRows
            maxBatchBytes           PassIT.bytesOfABatchBoundItsRows
            targetFileSizeMb        BaseExportIT.filesOfRowsOfAllSizesComeOutNearTheTarget
            maxBatchSize            FieldsIT.baseFilesHaveNoMoreRowsThanMaxBatchSize
            s3Bucket                BadInputIT.missingBucket
            s3Prefix                FieldsIT.manifestsAreKeptWhereAndAsTheConfigurationSays
            manifestPrefix          FieldsIT.manifestsAreKeptWhereAndAsTheConfigurationSays
            manifestTemplate        FieldsIT.manifestsAreKeptWhereAndAsTheConfigurationSays
            manifestForm            FieldsIT.manifestsAreKeptWhereAndAsTheConfigurationSays
            singleWriterStore       FieldsIT.storeThatIgnoresConditionsIsAcceptedForOneWriter
            spillDirectory          FieldsIT.spillDirectoryIsWhereFilesAreWritten
            transport               ExtensionTransportIT.missingExtensionsAreNamedBeforeAnythingIsDone
            duckExtensionDirectory  ExtensionTransportIT.missingExtensionsAreNamedBeforeAnythingIsDone
            """;

    /** How to reach PostgreSQL and the store. */
    private static final String CONNECTIONS = """
            pgHost                  BadInputIT.unreachableHost
            pgPort                  PgDataSourcesTest.takesTheConfigurationAsItIs
            pgUser                  PgDataSourcesTest.takesTheConfigurationAsItIs
            pgPassword              BadInputIT.wrongPassword
            pgDb                    BadInputIT.missingDatabase
            pgSslMode               SslModeIT.onAServerThatCanDoBoth
            pgSslRootCert           SslModeIT.onAServerThatWantsTls
            pgUseIam                IamDataSourceIT.theConfigurationDecides
            s3Endpoint              S3ClientsTest.anEndpointIsOverriddenOnlyWhenConfigured
            s3Region                S3ClientsTest.theConfiguredRegionIsUsed
            s3UseSsl                S3ClientsTest.anEndpointWithoutASchemeTakesItFromUseSsl
            s3UsePath               S3ClientsTest.usePathDecidesWhereTheBucketStands
            """;

    private static final String COMPACTION = """
            schemaId                FieldsIT.compactionOfOneSchemaLeavesTheOthers
            manifestPath            CompactionIT.aManifestMayBeNamedDirectly
            targetBaseSizeMb        CompactionIT.whatWasFlushedBecomesSortedBaseFilesOfTheTargetSize
            maxDeltaSizeMb          CompactionPlannerTest.smallDeltasAreConsolidatedAndLargeOnesLeftAlone
            dirtyRatioPct           CompactionPlannerTest.theRatioIsTheConfiguredOne
            runInterval             FieldsIT.loopRunsAtTheIntervalOfItsConfiguration
            tempPrefix              CompactionIT.rewritesAreStagedUnderTheTempPrefixAndSeveralFilesMoveAtOnce
            maxParallelFiles        FieldsIT.filesMoveSideBySideUpToMaxParallelFiles
            maxRetries              FieldsIT.retriesAndPausesOfACompactionAreThoseOfItsSaves
            baseBackoff             FieldsIT.retriesAndPausesOfACompactionAreThoseOfItsSaves
            maxBackoff              FieldsIT.retriesAndPausesOfACompactionAreThoseOfItsSaves
            """;

    @Test
    void everyFieldOfAFlushHasItsTest() {
        assertCovered(CdcConfig.class, FLUSH + CONNECTIONS);
    }

    @Test
    void everyFieldOfACompactionHasItsTest() {
        assertCovered(CompactionConfig.class, COMPACTION);
    }

    private static void assertCovered(Class<?> config, String table) {
        Map<String, String> tests = new TreeMap<>();
        table.lines().map(line -> line.split(" +", 2)).forEach(parts -> tests.put(parts[0], parts[1]));
        assertThat(tests.keySet())
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(config.getRecordComponents())
                        .map(RecordComponent::getName)
                        .toList());
        tests.forEach((field, test) -> {
            String[] parts = test.split("\\.", 2);
            assertThat(source(parts[0])).as(field).containsPattern("void " + Pattern.quote(parts[1]) + "\\(");
        });
    }

    private static String source(String testClass) {
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            for (Path module : modules.filter(
                            path -> path.getFileName().toString().startsWith("cdc-"))
                    .toList()) {
                String name = module.getFileName().toString().substring("cdc-".length());
                Path file = module.resolve("src/test/java/io/formacdc/" + name + "/" + testClass + ".java");
                if (Files.exists(file)) {
                    return Files.readString(file);
                }
            }
            throw new AssertionError("there is no test class " + testClass);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
