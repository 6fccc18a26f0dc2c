package io.formacdc.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The model of the commit protocol, {@code src/test/spin/protocol.pml}, checked by Spin in all its interleavings, and
 * each of its mutants found wrong. {@code -Dspin.bounds=large} takes bounds for which it needs an hour and 8 GB.
 */
@Execution(ExecutionMode.CONCURRENT)
class ProtocolModelIT {
    private static final Path MODEL = Path.of("src", "test", "spin", "protocol.pml");
    private static final boolean IS_LARGE = "large".equals(System.getProperty("spin.bounds"));
    private static final Pattern OUTCOME = Pattern.compile("errors: (\\d+)");
    private static final Pattern STATES = Pattern.compile("(\\d+(?:\\.\\d+e\\+\\d+)?) states, stored");

    @TempDir
    Path folder;

    @BeforeAll
    static void findSpin() {
        boolean isThere = isThere("spin", "-V") && isThere("cc", "--version");
        if (!isThere) {
            System.out.println("ProtocolModelIT: the model is not checked, because spin or cc is not installed here");
        }
        assumeTrue(isThere, "spin and cc are installed");
    }

    private static boolean isThere(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getInputStream().readAllBytes();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "WOPS=3",
                "ROWS=2 WOPS=2",
                "EXPORT WOPS=2 FLUSHERS=1",
                "SWEEP WOPS=2 CPASSES=0",
                "REPAIR WOPS=1 CPASSES=0",
                "REPAIR WOPS=2 FLUSHERS=1"
            })
    void noInterleavingShowsAReaderAnythingButWhatTheTablesHold(String bounds) throws Exception {
        assertThat(check(bounds)).as(bounds).isZero();
    }

    @Test
    void noInterleavingOfLargeBoundsDoesEither() throws Exception {
        if (!IS_LARGE) {
            System.out.println("ProtocolModelIT: large bounds are checked with -Dspin.bounds=large alone");
            return;
        }
        for (String bounds : List.of(
                "EXPORT WOPS=3 CPASSES=2",
                "EXPORT SWEEP WOPS=2",
                "ROWS=2 WOPS=3",
                "ROWS=2 WOPS=2 EXPORT",
                "REPAIR WOPS=2",
                "REPAIR EXPORT WOPS=2 FLUSHERS=1 PASSES=2")) {
            assertThat(check(bounds)).as(bounds).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "M_NO_FENCE WOPS=2",
                "M_LATE_FENCE WOPS=2",
                "M_FENCE_PER_CHUNK ROWS=2 WOPS=2",
                "M_MARK_BLINDLY FLUSHERS=1 CPASSES=0",
                "M_DROP_TOMBSTONE FLUSHERS=1 PASSES=2",
                "M_SPLICE_BLINDLY EXPORT WOPS=2 FLUSHERS=1 PASSES=2",
                "M_EXPORT_NO_FENCE EXPORT WOPS=2 FLUSHERS=1",
                "M_SWEEP_UNNAMED SWEEP WOPS=2 FLUSHERS=1 CPASSES=0",
                "M_LIST_NAMED SWEEP WOPS=2 FLUSHERS=1 CPASSES=0",
                "M_REPAIR_RELOADED REPAIR WOPS=2 FLUSHERS=1 PASSES=2",
                "M_REPAIR_BLINDLY REPAIR WOPS=2 FLUSHERS=1 PASSES=2"
            })
    void eachRuleIsNeeded(String mutant) throws Exception {
        assertThat(check(mutant)).as(mutant).isPositive();
    }

    @Test
    void everyMutantThatTheModelNamesIsTried() throws Exception {
        String model = Files.readString(MODEL);
        List<String> named = Pattern.compile("M_[A-Z_]+")
                .matcher(model)
                .results()
                .map(m -> m.group())
                .distinct()
                .toList();
        ValueSource tried = ProtocolModelIT.class
                .getDeclaredMethod("eachRuleIsNeeded", String.class)
                .getAnnotation(ValueSource.class);
        assertThat(List.of(tried.strings()))
                .extracting(s -> List.of(s.split(" ", -1)).get(0))
                .containsExactlyInAnyOrderElementsOf(named);
    }

    /** Number of errors found. */
    private int check(String definitions) throws IOException, InterruptedException {
        List<String> spin = new ArrayList<>(List.of("spin", "-a"));
        for (String definition : definitions.split(" ", -1)) {
            spin.add("-D" + definition);
        }
        spin.add(MODEL.toAbsolutePath().toString());
        long begin = System.nanoTime();
        run(spin);
        run(List.of(
                "cc",
                "-w",
                IS_LARGE ? "-O2" : "-O1", // most of the small ones take longer to compile than to run
                "-DCOLLAPSE",
                "-DSAFETY",
                "-DMEMLIM=" + (IS_LARGE ? 8_000 : 1_500),
                "-o",
                "pan",
                "pan.c"));
        String said = run(List.of("./pan", "-m400000", IS_LARGE ? "-w28" : "-w22", "-n"));
        Matcher outcome = OUTCOME.matcher(said);
        Matcher states = STATES.matcher(said);
        assertThat(outcome.find() && states.find()).as(said).isTrue();
        assertThat(said).as("the search was complete").doesNotContain("out of memory", "max search depth too small");
        System.out.printf(
                "ProtocolModelIT: %s: %s states, %s errors, %d ms%n",
                definitions, states.group(1), outcome.group(1), (System.nanoTime() - begin) / 1_000_000);
        return Integer.parseInt(outcome.group(1));
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(1, TimeUnit.HOURS)).isTrue();
        return said;
    }
}
