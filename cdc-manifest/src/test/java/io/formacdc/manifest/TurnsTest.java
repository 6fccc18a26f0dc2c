package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.manifest.Turns.Order;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class TurnsTest {
    private final List<String> calls = new ArrayList<>();

    private void call(Turns turns, String name) {
        turns.take(() -> calls.add(name));
    }

    private Thread started(Runnable work) {
        Thread thread = new Thread(work, "started");
        thread.start();
        return thread;
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "FIRST_STARTED, 1 2 3 ahead-1 ahead-2 4",
        "LAST_STARTED, 1 ahead-1 ahead-2 2 3 4",
        "ALTERNATING, 1 ahead-1 2 ahead-2 3 4"
    })
    void orderIsTheSameInEveryRun(Order order, String expected) {
        for (int run = 0; run < 50; run++) {
            calls.clear();
            Turns.run(order, turns -> {
                call(turns, "1");
                Thread ahead = started(() -> {
                    call(turns, "ahead-1");
                    call(turns, "ahead-2");
                });
                call(turns, "2");
                call(turns, "3");
                join(ahead);
                call(turns, "4");
            });
            assertThat(String.join(" ", calls)).isEqualTo(expected);
        }
    }

    @Test
    void threadThatWaitsForALockOfTheOtherHoldsNobodyUp() {
        Object lock = new Object();
        CountDownLatch isLocked = new CountDownLatch(1);
        Turns.run(Order.FIRST_STARTED, turns -> {
            Thread ahead = started(() -> {
                synchronized (lock) {
                    isLocked.countDown();
                    call(turns, "in the lock");
                }
            });
            await(isLocked);
            synchronized (lock) {
                call(turns, "next in the lock");
            }
            join(ahead);
        });
        assertThat(calls).containsExactly("in the lock", "next in the lock");
    }

    @Test
    void interruptedThreadGetsNoTurn() {
        List<Throwable> thrown = new ArrayList<>();
        Turns.run(Order.FIRST_STARTED, turns -> {
            Thread ahead = started(() -> {
                try {
                    call(turns, "ahead");
                } catch (CdcInterruptedException e) {
                    thrown.add(e);
                }
            });
            call(turns, "1");
            ahead.interrupt();
            join(ahead);
        });
        assertThat(calls).containsExactly("1");
        assertThat(thrown).hasSize(1);
    }

    @Test
    void whoeverWaitsForAFailureActsBeforeTheOthersGoOn() {
        for (int run = 0; run < 50; run++) {
            assertThatThrownBy(() -> Turns.run(
                            Order.FIRST_STARTED,
                            turns -> ParallelWork.map(List.of(true, false), 2, isFirst -> fail(turns, isFirst))))
                    .hasMessage("wanted");
        }
        assertThat(calls).isEmpty();
    }

    private boolean fail(Turns turns, boolean isFirst) {
        return turns.take(() -> {
            if (isFirst) {
                throw new IllegalStateException("wanted");
            }
            return calls.add("goes on");
        });
    }

    @Test
    void threadThatOutlivesTheWorkIsFound() {
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> left = new ArrayList<>();
        try {
            assertThatThrownBy(() -> Turns.run(Order.FIRST_STARTED, turns -> left.add(started(() -> await(end)))))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("outlive");
        } finally {
            end.countDown();
            left.forEach(TurnsTest::join);
        }
    }

    @Test
    void whatTheWorkThrowsIsThrown() {
        IllegalStateException failure = new IllegalStateException("wanted");
        assertThatThrownBy(() -> Turns.run(Order.FIRST_STARTED, turns -> {
                    throw failure;
                }))
                .isSameAs(failure);
    }
}
