package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.formacdc.core.RowIdInterval;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CopyScanTest {
    private final CopyEnd end = new CopyEnd();
    private final CopyScan scan = new CopyScan(new CopySource(
            RowIdInterval.pieces(null, null, List.of(new UUID(1, 1), new UUID(2, 2))),
            List.of(),
            source -> {
                throw new IllegalStateException("nothing is read here");
            },
            rows -> {},
            2,
            4,
            end));
    private final Thread idle = new Thread(scan::awaitOthers);

    @AfterEach
    void theIdleThreadComesToItsEnd() throws InterruptedException {
        idle.join();
    }

    @Test
    void asManyReadAsMayAndClaimEachRangeOnce() {
        assertThat(scan.join()).isTrue();
        assertThat(scan.join()).isTrue();
        assertThat(scan.join()).isFalse();
        assertThat(List.of(scan.claim(), scan.claim(), scan.claim())).doesNotHaveDuplicates();
        assertThat(scan.claim()).isNull();
        scan.leave();
        assertThat(scan.join()).as("nothing is left").isFalse();
    }

    @Test
    void whoHasNothingToReadIsHeldUntilTheLastReaderLeaves() {
        scan.join();
        scan.join();
        scan.beginReading();
        idle.start();
        scan.leave();
        await().during(Duration.ofMillis(300)).until(idle::isAlive);
        scan.leave();
        await().until(() -> !idle.isAlive());
    }

    @Test
    void nobodyIsHeldWhereTheReadingHasEnded() {
        scan.join();
        scan.beginReading();
        idle.start();
        await().until(() -> idle.getState() == Thread.State.TIMED_WAITING);
        end.reached();
        await().until(() -> !idle.isAlive());
    }

    @Test
    void nobodyIsHeldForReadersThatDuckDbHasLeft() {
        scan.join();
        scan.beginReading();
        scan.endReading();
        idle.start();
        await().until(() -> !idle.isAlive());
    }
}
