package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompactionConfigTest {
    private static final Duration NONE = Duration.ZERO;

    @Test
    void nothingIsSetInAFreshBuilder() {
        assertThat(CompactionConfig.builder().build())
                .isEqualTo(new CompactionConfig(0, "", 0, 0, 0, NONE, "", 0, 0, NONE, NONE));
    }

    @Test
    void defaultsAreThoseOfTheGoPackage() {
        assertThat(CompactionConfig.builder().build().withDefaults())
                .isEqualTo(new CompactionConfig(
                        0, "", 256, 50, 5, NONE, "", 0, 5, Duration.ofMillis(100), Duration.ofSeconds(10)));
        assertThat(CompactionConfig.builder().build().withDefaults().validate()).isNotNull();
    }

    @Test
    void whatIsSetIsKept() {
        CompactionConfig set = new CompactionConfig(
                1, "m.json", 2, 3, 4, Duration.ofSeconds(5), "tmp", 6, 7, Duration.ofSeconds(8), Duration.ofSeconds(9));
        assertThat(set.withDefaults()).isEqualTo(set);
        assertThat(set.toBuilder().build()).isEqualTo(set);
    }

    @Test
    void aNegativeNumberIsNotSet() {
        CompactionConfig negative = CompactionConfig.builder()
                .targetBaseSizeMb(-1)
                .maxDeltaSizeMb(-1)
                .dirtyRatioPct(-1)
                .maxRetries(-1)
                .baseBackoff(Duration.ofMillis(-1))
                .maxBackoff(Duration.ofMillis(-1))
                .build();
        assertThat(negative.withDefaults())
                .isEqualTo(CompactionConfig.builder().build().withDefaults());
    }

    @Test
    void everyProblemIsNamed() {
        CompactionConfig hopeless = CompactionConfig.builder()
                .schemaId(32_768)
                .dirtyRatioPct(101)
                .baseBackoff(Duration.ofSeconds(11))
                .build()
                .withDefaults();
        assertThat(catchThrowableOfType(InvalidConfigException.class, hopeless::validate)
                        .problems())
                .containsExactly(
                        "schemaId 32768 must be 1 to 32767, or 0 for all schemas",
                        "dirtyRatioPct 101 is above 100",
                        "baseBackoff PT11S is longer than maxBackoff PT10S");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3://lake/manifest/7.json",
                "root/manifest/7.json",
                "7.json",
                "/lake/manifest/7.json",
                "file:///lake/manifest/7.json",
                "file:/lake/my%20manifest.json"
            })
    void aManifestPathMayBeAUriAKeyOrAFile(String path) {
        assertThat(withManifestPath(path).validate()).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "s3://|must be written as in s3://bucket/manifest/7.json",
                "s3://lake|must be written as in s3://bucket/manifest/7.json",
                "s3://lake/|must be written as in s3://bucket/manifest/7.json",
                "s3:///7.json|must be written as in s3://bucket/manifest/7.json",
                "s3:/lake/7.json|must be written as in s3://bucket/manifest/7.json",
                "S3://lake/7.json|must be written as in s3://bucket/manifest/7.json",
                "https://lake/7.json|must be written as in s3://bucket/manifest/7.json",
                "file:7.json|must be written as in file:///lake/manifest/7.json",
                "file:///lake/|must be written as in file:///lake/manifest/7.json",
                "file://lake/7.json|must be written as in file:///lake/manifest/7.json",
                "file:///la ke/7.json|must be written as in file:///lake/manifest/7.json",
                "manifest/{{.SchemaID}}.json|is a template, and must name one manifest; templates go to manifestTemplate",
                "manifest/|must name one object, not a folder",
                "/lake/manifest/|must name one object, not a folder",
                "s3://lake/manifest/|must name one object, not a folder",
                "../7.json|must be a whole key, without \".\", \"..\" or \"~\"",
                "s3://lake/a/../7.json|must be a whole key, without \".\", \"..\" or \"~\"",
                "./7.json|must be a whole key, without \".\", \"..\" or \"~\"",
                "~/7.json|must be a whole key, without \".\", \"..\" or \"~\"",
                "manifest/*.json|must be no pattern: *, ? and [ stand for themselves nowhere in this library",
                "manifest\\7.json|must have slashes, not backslashes",
                " manifest/7.json|must have no white space around it",
                "/lake/7.json |must have no white space around it"
            })
    void anOddManifestPathIsRefusedWithWhatWouldBeRight(String path, String problem) {
        assertProblem(withManifestPath(path), "manifestPath \"" + path + "\" " + problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "/tmp|must be the beginning of a key, without bucket or leading slash, as in staging/compaction",
                "s3://lake/tmp|must be the beginning of a key, without bucket or leading slash, as in staging/compaction",
                "a/../tmp|must be a whole key, without \".\", \"..\" or \"~\"",
                "tmp/{{.SchemaID}}|is taken as it is, and must be no template",
                "tmp*|must be no pattern: *, ? and [ stand for themselves nowhere in this library",
                "a\\b|must have slashes, not backslashes",
                "tmp |must have no white space around it",
                "a\u0007b|must have no control character"
            })
    void anOddTempPrefixIsRefusedWithWhatWouldBeRight(String prefix, String problem) {
        CompactionConfig odd =
                CompactionConfig.builder().tempPrefix(prefix).build().withDefaults();
        assertProblem(odd, "tempPrefix \"" + prefix + "\" " + problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tmp", "tmp/", "staging/a..b/x"})
    void aTempPrefixIsTheBeginningOfAKey(String prefix) {
        CompactionConfig fine =
                CompactionConfig.builder().tempPrefix(prefix).build().withDefaults();
        assertThat(fine.validate()).isSameAs(fine);
    }

    private static CompactionConfig withManifestPath(String path) {
        return CompactionConfig.builder().manifestPath(path).build().withDefaults();
    }

    private static void assertProblem(CompactionConfig odd, String problem) {
        assertThat(catchThrowableOfType(InvalidConfigException.class, odd::validate)
                        .problems())
                .containsExactly(problem);
    }
}
