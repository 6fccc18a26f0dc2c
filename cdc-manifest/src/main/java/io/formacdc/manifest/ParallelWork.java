package io.formacdc.manifest;

import io.formacdc.core.CdcInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Several pieces of work at once, on threads that are gone when the call returns. */
final class ParallelWork {
    private ParallelWork() {}

    /**
     * Applies the work to each input; results in the order of the inputs. The first failure interrupts the others, and is
     * thrown when all have ended; so does an interrupt of the calling thread.
     */
    static <T, R> List<R> map(List<T> inputs, int atOnce, Function<T, R> work) {
        if (atOnce == 1 || inputs.size() < 2) {
            return inputs.stream().map(work).toList();
        }
        ExecutorService threads = Executors.newFixedThreadPool(
                Math.min(atOnce, inputs.size()), task -> new Thread(task, "forma-cdc-work"));
        try {
            CompletionService<R> service = new ExecutorCompletionService<>(threads);
            List<Future<R>> futures = new ArrayList<>();
            inputs.forEach(input -> futures.add(service.submit(() -> work.apply(input))));
            for (int ended = 0; ended < futures.size(); ended++) {
                service.take().get();
            }
            List<R> results = new ArrayList<>();
            for (Future<R> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CdcInterruptedException("interrupted while others work", e);
        } finally {
            end(threads);
        }
    }

    /** Does something short that tidies up, although the calling thread was interrupted. */
    static void uninterrupted(Runnable work) {
        boolean interrupted = Thread.interrupted();
        try {
            work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** No thread outlives the call, or it could write after the failure was reported. */
    private static void end(ExecutorService threads) {
        threads.shutdownNow();
        boolean interrupted = false;
        while (!threads.isTerminated()) {
            try {
                threads.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
