package io.formacdc.examples.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class ProcessorsTest {
    @Test
    void idleAndWaitingAreNotBusyAndGuestsNotCountedTwice() {
        assertThat(Processors.busySeconds("cpu  100 20 30 100000 5000 4 5 6 99 9\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
                .isEqualTo(OptionalDouble.of(1.65));
        assertThat(Processors.busySeconds("cpu  100 20 30 100000\n")).isEqualTo(OptionalDouble.of(1.5));
    }

    @Test
    void whatIsNoSuchFileTellsNothing() {
        assertThat(Processors.busySeconds("")).isEmpty();
        assertThat(Processors.busySeconds("intr 1 2 3\n")).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aThreadThatNeverPausesKeepsOneBusy() {
        Processors processors = Processors.watch();
        long end = System.nanoTime() + 300_000_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(processors.busy()).isBetween(0.2, Runtime.getRuntime().availableProcessors() + 0.5);
    }
}
