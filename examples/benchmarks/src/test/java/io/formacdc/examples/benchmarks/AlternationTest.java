package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AlternationTest {
    @Test
    void bothAreMeasuredInTurnAndOnlyAfterTheirPreparation() throws Exception {
        List<String> log = new ArrayList<>();
        Alternation.Medians medians = new Alternation(1, 2).measure(task(log, "a"), task(log, "b"));
        assertThat(String.join(" ", log)).isEqualTo("a? a b? b a? a b? b a? a b? b");
        assertThat(medians.ratio()).isPositive();
    }

    @Test
    void medianIsTheMiddleValue() {
        assertThat(Alternation.median(List.of(9.0, 1.0, 5.0))).isEqualTo(5);
        assertThat(Alternation.median(List.of(4.0, 1.0, 100.0, 2.0))).isEqualTo(3);
    }

    private static Alternation.Task task(List<String> log, String name) {
        return new Alternation.Task() {
            @Override
            public void prepare() {
                log.add(name + "?");
            }

            @Override
            public void run() {
                log.add(name);
            }
        };
    }
}
