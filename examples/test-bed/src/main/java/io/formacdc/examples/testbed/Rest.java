package io.formacdc.examples.testbed;

import io.formacdc.core.CdcListener;
import io.formacdc.core.CompactionConfig;
import io.formacdc.duckdb.Cdc;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.duckdb.ReconcileReport;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import software.amazon.awssdk.services.s3.S3Client;

/** Brings a lake to rest after everything that happened to it, and compares all of it at each step. */
record Rest(Deployment deployment, Oracle oracle) {
    private static final SweepOptions AT_ONCE = new SweepOptions(Duration.ofMillis(1), Duration.ofMillis(1));

    /** Without faults, one pass flushes all there is, and what is left over goes with the sweeps. */
    void come(CompactionConfig compaction) throws SQLException, IOException, InterruptedException {
        try (S3Client client = deployment.client();
                CdcRunner runner =
                        Deployment.runner(deployment.config().build(), S3FullClient.of(client), CdcListener.NONE)) {
            runner.runOnce(false);
            check();
            runner.compactor(compaction).runOnce();
            check();
            for (int sweep = 0; sweep < 3; sweep++) {
                Thread.sleep(1_100); // times of objects are whole seconds
                runner.sweeper(AT_ONCE).sweep();
            }
            check();
            for (int schemaId : Deployment.SCHEMAS) {
                ReconcileReport report = Cdc.reconcile(
                        deployment.config().build(), S3FullClient.of(client), schemaId, ReconcileReport.Depth.CONTENTS);
                if (!report.isClean()) {
                    throw new AssertionError(report.explain());
                }
            }
        }
    }

    private void check() throws SQLException, IOException, InterruptedException {
        for (int schemaId : Deployment.SCHEMAS) {
            oracle.checkAtRest(schemaId);
        }
    }
}
