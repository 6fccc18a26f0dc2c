package io.formacdc.examples.testbed;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3FullClient;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * A host process that flushes, compacts, exports and sweeps until it is killed. It says {@code ready} once it has begun.
 * On SIGTERM it does what a host should: it interrupts the work, waits for its end, and says {@code clean}.
 */
final class Worker {
    private Worker() {}

    public static void main(String[] args) {
        Deployment deployment = Deployment.fromEnvironment();
        Thread work = Thread.currentThread();
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            work.interrupt();
            try {
                ended.await();
                System.out.println("clean");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try (S3Client client = deployment.client();
                CdcRunner runner = Deployment.runner(
                        deployment.config().batchSize(200).build(), S3FullClient.of(client), new Narrator())) {
            while (!Thread.currentThread().isInterrupted()) {
                work(runner);
            }
        } finally {
            ended.countDown();
        }
    }

    /** Tells the parent that there is something to kill. */
    private static final class Narrator implements CdcListener {
        private boolean hasSpoken;

        @Override
        public void schemaStarted(int schemaId, long dirtyRows) {
            if (!hasSpoken) {
                hasSpoken = true;
                System.out.println("ready");
            }
        }
    }

    private static void work(CdcRunner runner) {
        try {
            runner.runOnce(false);
            int next = ThreadLocalRandom.current().nextInt(8);
            if (next < 3) {
                runner.compactor(CompactionConfig.builder()
                                .targetBaseSizeMb(1)
                                .dirtyRatioPct(20)
                                .build())
                        .runOnce();
            } else if (next == 3) {
                runner.sweeper(new SweepOptions(Oracle.LEAST_GRACE, Duration.ofSeconds(30)))
                        .sweep();
            } else if (next == 4) {
                int schemaId =
                        Deployment.SCHEMAS.get(ThreadLocalRandom.current().nextInt(Deployment.SCHEMAS.size()));
                runner.exportBase(schemaId, BaseExportOptions.DEFAULTS.replacingDeltas());
            }
        } catch (CdcInterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (CdcException e) {
            // Two workers get into each other's way, and what is left of killed ones too.
            System.out.println("survived " + e.getMessage());
        }
    }
}
