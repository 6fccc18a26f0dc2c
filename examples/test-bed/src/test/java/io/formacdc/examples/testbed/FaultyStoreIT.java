package io.formacdc.examples.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.examples.testbed.FaultyProxy.Fault;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3FullClient;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** A store of which every third request goes wrong. {@code -Drounds=600} takes longer. */
class FaultyStoreIT {
    private static final double FAULT_RATE = 0.3;
    private static final int ROUNDS = Integer.getInteger("rounds", 40);
    private static final int IDS = 100;

    @Test
    void nothingIsLostOnAStoreThatFailsAndLies(@TempDir Path spill) throws Exception {
        Random random = new Random(5);
        try (LocalPostgres postgres = LocalPostgres.start();
                LocalS3 s3 = LocalS3.start();
                FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 5)) {
            Deployment deployment = Deployment.create(postgres, s3, spill);
            Deployment faulty = deployment.behind(proxy);
            int failures = 0;
            try (Oracle oracle = new Oracle(deployment);
                    Connection writer = deployment.connect();
                    S3Client client = faulty.client();
                    CdcRunner runner = Deployment.runner(
                            faulty.config().batchSize(30).build(), S3FullClient.of(client), CdcListener.NONE)) {
                int round = 0;
                // Lists are few: where chance has spared them so far, it takes somewhat longer.
                for (; round < ROUNDS || (!allWereInjected(proxy) && round < 3 * ROUNDS); round++) {
                    for (int i = 0; i < 25; i++) {
                        Writer.change(
                                writer,
                                1,
                                Writer.id(1, random.nextInt(IDS)),
                                System.currentTimeMillis(),
                                random.nextInt(4) > 0);
                    }
                    proxy.setRate(FAULT_RATE);
                    try {
                        work(runner, random.nextInt(6));
                    } catch (CdcException e) {
                        failures++;
                        assertThat(e.toString()).doesNotContain(deployment.secretKey(), deployment.pgPassword());
                    }
                    proxy.setRate(0);
                    oracle.check(1);
                    assertThat(spill).isEmptyDirectory();
                }
                runner.runOnce(false);
                oracle.checkAtRest(1);
                System.out.println("FaultyStoreIT: " + round + " works, " + failures + " of them failed; "
                        + proxy.statistics() + "; " + oracle);
            }
            assertThat(proxy.injected()).containsKeys(Fault.values());
        }
    }

    private static boolean allWereInjected(FaultyProxy proxy) {
        return proxy.injected().size() == Fault.values().length;
    }

    private static void work(CdcRunner runner, int kind) {
        switch (kind) {
            case 0, 1, 2 -> runner.runOnce(false);
            case 3 ->
                runner.compactor(CompactionConfig.builder()
                                .targetBaseSizeMb(1)
                                .baseBackoff(Duration.ofMillis(10))
                                .build())
                        .runOnce();
            case 4 -> runner.exportBase(1, BaseExportOptions.DEFAULTS.replacingDeltas());
            default ->
                runner.sweeper(new SweepOptions(Duration.ofSeconds(2), Duration.ofSeconds(20)))
                        .sweep();
        }
    }
}
