package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MergeMemoryTest {
    private static MergeMemory of(String limit, int threads) {
        return MergeMemory.of(
                CdcConfig.builder().duckMemLimit(limit).duckThreads(threads).build());
    }

    @ParameterizedTest
    @CsvSource({
        "4GB, 4, 4, 64MB",
        "4 GiB, 64, 17, 18MB",
        "512MB, 2, 2, 18MB",
        "256MB, 4, 1, 18MB",
        "0.5tb, 8, 8, 64MB",
        "1KB, 4, 1, 1MB",
    })
    void aThreadHasMemoryToReadAndWriteWideRowGroups(String limit, int threads, int expected, String rowGroup) {
        assertThat(of(limit, threads).threads()).isEqualTo(expected);
        assertThat(of(limit, threads).rowGroupSize()).isEqualTo(rowGroup);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "124999999, 1", "125000000, 2", "400000000, 4", "9223372036854775807, 4"})
    void aMergeTakesAShareForEachEighthOfItsMemoryThatItsRowsFill(long rawBytes, int shares) {
        assertThat(of("4GB", 4).shares(rawBytes)).isEqualTo(shares);
        assertThat(of("256MB", 4).shares(rawBytes)).isEqualTo(1);
    }

    @Test
    void narrowRowsAreSortedAlwaysAndWideOnesWhereTheyFit() {
        MergeMemory memory = of("300MB", 1);
        assertThat(memory.canSort(1_000_000_000, 60)).isTrue();
        assertThat(memory.canSort(10_000, 10_000)).isTrue();
        assertThat(memory.canSort(10_001, 10_000)).isFalse();
    }
}
