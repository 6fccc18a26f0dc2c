package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import org.junit.jupiter.api.Test;

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
}
