package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be is told before a server is started. */
class BenchmarksTest {
    @TempDir
    private Path folder;

    @Test
    void benchesAreChosenByName() {
        assertThat(Benchmarks.chosen(settings(Set.of("idle", "view"), 1)))
                .extracting(Bench::name)
                .containsExactly("view", "idle");
        assertThat(Benchmarks.chosen(settings(Set.of(), 1))).hasSameSizeAs(Benchmarks.all());
    }

    @Test
    void aNameThatNoBenchHasIsRefusedWithThoseThatThereAre() {
        assertThatThrownBy(() -> Benchmarks.chosen(settings(Set.of("idle", "nope"), 1)))
                .hasMessageStartingWith("there is no bench \"nope\"; there are flush, flush-one-file, export, ");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, 101})
    void aScaleThatIsNoSizeIsRefused(double scale) {
        assertThatThrownBy(() -> settings(Set.of(), scale))
                .hasMessage("scale is a number above 0 and up to 100, not " + scale);
    }

    @Test
    void aChartNeedsItsFolderAndTheBenchThatDrawsIt() {
        Optional<Path> chart = Optional.of(folder.resolve("growth.svg"));
        assertThatThrownBy(() -> Benchmarks.chosen(new Settings(Set.of("idle"), 1, chart, Optional.empty())))
                .hasMessage("a chart is drawn by the bench growth alone");
        assertThat(Benchmarks.chosen(new Settings(Set.of("growth"), 1, chart, Optional.empty())))
                .hasSize(1);
        assertThatThrownBy(() ->
                        new Settings(Set.of(), 1, Optional.of(folder.resolve("none/growth.svg")), Optional.empty()))
                .hasMessage("there is no folder " + folder.resolve("none") + " to draw the chart in");
    }

    private static Settings settings(Set<String> benches, double scale) {
        return new Settings(benches, scale, Optional.empty(), Optional.empty());
    }
}
