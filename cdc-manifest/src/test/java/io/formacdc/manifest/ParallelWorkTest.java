package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcInterruptedException;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ParallelWorkTest {
    private static final List<Integer> TWELVE = IntStream.range(0, 12).boxed().toList();

    @Test
    void asManyAsAllowedWorkAtOnceAndNoMore() {
        CyclicBarrier three = new CyclicBarrier(3);
        AtomicInteger working = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();

        List<Integer> results = ParallelWork.map(TWELVE, 3, n -> {
            most.accumulateAndGet(working.incrementAndGet(), Math::max);
            meet(three);
            working.decrementAndGet();
            return -n;
        });

        assertThat(most).hasValue(3);
        assertThat(results).isEqualTo(TWELVE.stream().map(n -> -n).toList());
    }

    @Test
    void oneAtATimeStaysOnTheCallingThread() {
        assertThat(ParallelWork.map(TWELVE, 1, n -> Thread.currentThread())).containsOnly(Thread.currentThread());
    }

    @Test
    void aFailureInterruptsTheOthersAndIsThrownWhenTheyHaveEnded() {
        CountDownLatch begun = new CountDownLatch(1);
        AtomicBoolean hasEnded = new AtomicBoolean();

        assertThatThrownBy(() -> ParallelWork.map(List.of(1, 2), 2, n -> {
                    if (n == 1) {
                        begun.countDown();
                        awaitInterrupt();
                        hasEnded.set(true);
                        return n;
                    }
                    await(begun);
                    throw new IllegalArgumentException("of piece " + n);
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("of piece 2");

        assertThat(hasEnded).isTrue();
    }

    @Test
    void anInterruptOfTheCallerEndsTheWork() {
        Thread caller = Thread.currentThread();

        assertThatThrownBy(() -> ParallelWork.map(List.of(1, 2), 2, n -> {
                    caller.interrupt();
                    awaitInterrupt();
                    return n;
                }))
                .isInstanceOf(CdcInterruptedException.class);

        assertThat(Thread.interrupted()).isTrue();
    }

    private static void awaitInterrupt() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }
}
