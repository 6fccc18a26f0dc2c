package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.Merger.Source;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class MergeInterruptIT {
    private static final Duration PROMPTLY = Duration.ofSeconds(2);

    /** Long to write: text that does not compress. */
    private static final String ROWS =
            "SELECT 7::SMALLINT AS schema_id, md5(i::VARCHAR)::UUID AS row_id, %d::BIGINT AS changed_at, 0::BIGINT AS"
                    + " deleted_at, i AS ltbase_created_at, sha256(i::VARCHAR) || sha256('x' || i) AS v"
                    + " FROM range(%d) t(i)";

    @TempDir
    private Path spill;

    private final List<CompletableFuture<Void>> interrupts = new CopyOnWriteArrayList<>();
    private final AtomicLong interruptedAtNanos = new AtomicLong();

    @Test
    void interruptEndsAMergeAndLeavesNoFile() throws Exception {
        try (TestMerge test = new TestMerge(TestMerge.config(spill).build())) {
            Source base = test.query("b", ROWS.formatted(1, 1_000_000), "");
            test.merge.addLoose(test.query("d", ROWS.formatted(2, 1000), ""));
            // The first file is there, so that it is the merge's to delete.
            Thread merging = Thread.currentThread();
            Throwable thrown = catchThrowable(() -> test.merge.writeBase(
                    RowIdInterval.ALL, List.of(base), 2, rows -> interruptOnceMoreIsWritten(test, merging)));
            Duration took = Duration.ofNanos(System.nanoTime() - interruptedAtNanos.get());

            assertThat(Thread.interrupted()).as("interrupt flag").isTrue();
            interrupts.forEach(CompletableFuture::join);
            assertThat(thrown)
                    .isInstanceOf(CdcInterruptedException.class)
                    .hasMessage("interrupted before the end of schema 7, merge of 1 base file");
            assertThat(took).isLessThan(PROMPTLY);
            // The newest loose rows stay, for the next call.
            assertThat(test.written()).hasSize(1);

            assertThat(test.writeBase(base).contents().rowCount()).isEqualTo(1_000_000);
        }
        assertNothingLeft();
    }

    private void interruptOnceMoreIsWritten(TestMerge test, Thread merging) {
        interrupts.add(CompletableFuture.runAsync(() -> {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> test.written().size() == 3);
            interruptedAtNanos.set(System.nanoTime());
            merging.interrupt();
        }));
    }

    @Test
    void anInterruptedThreadBeginsNothing() throws Exception {
        try (TestMerge test = new TestMerge(TestMerge.config(spill).build())) {
            Source source = test.loose("d", "1, 1, 0, 'a'");
            Thread.currentThread().interrupt();
            for (Throwable thrown : List.of(
                    catchThrowable(() -> test.merge.check(source)),
                    catchThrowable(() -> test.merge.addLoose(source)),
                    catchThrowable(() -> test.merge.looseRowsIn(List.of())),
                    catchThrowable(() -> test.writeBase()),
                    catchThrowable(() -> test.merge.writeDelta(Set.of("d"), List.of(), 1)))) {
                assertThat(thrown).isInstanceOf(CdcInterruptedException.class);
            }
            assertThat(Thread.interrupted()).isTrue();
            assertThat(test.written()).isEmpty();
        }
        assertNothingLeft();
    }

    @Test
    void queryTimeoutEndsAMergeAndLeavesNoFile() throws Exception {
        try (TestMerge test = new TestMerge(
                TestMerge.config(spill).queryTimeout(Duration.ofMillis(300)).build())) {
            Source base = test.query("b", ROWS.formatted(1, 1_000_000), "");
            long begin = System.nanoTime();
            assertThat(catchThrowable(() -> test.writeBase(base)))
                    .isInstanceOf(CdcException.class)
                    .hasMessageStartingWith(
                            "schema 7, merge of 1 base file: a statement took longer than" + " queryTimeout PT0.3S");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(PROMPTLY.multipliedBy(2));
            assertThat(test.written()).isEmpty();
        }
        assertNothingLeft();
    }

    private void assertNothingLeft() throws IOException {
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("forma-cdc"));
        try (Stream<Path> left = Files.list(spill)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void closingAMergeTwiceIsHarmless() throws SQLException, IOException {
        TestMerge test = new TestMerge(TestMerge.config(spill).build());
        test.loose("d", "1, 1, 0, 'a'");
        test.writeBase();
        test.close();
        test.close();
        assertNothingLeft();
    }
}
