package io.formacdc.examples.testbed;

import io.formacdc.core.CdcException;
import io.formacdc.duckdb.Cdc;
import io.formacdc.s3.S3FullClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import software.amazon.awssdk.services.s3.S3Client;

/** A process that makes one pass, and says how it ended and what it left. */
final class OnePass {
    private OnePass() {}

    public static void main(String[] args) throws IOException {
        Deployment deployment = Deployment.fromEnvironment();
        int exit = 0;
        try (S3Client client = deployment.client()) {
            Cdc.runOnce(
                    deployment
                            .config()
                            .batchSize(1_000_000)
                            .maxBatchBytes(1L << 40)
                            .build(),
                    S3FullClient.of(client),
                    false,
                    Deployment.REGISTRY);
        } catch (CdcException e) {
            System.out.println("failed: " + e.getMessage());
            exit = 1;
        }
        try (Stream<Path> left = Files.list(Path.of(deployment.spill()))) {
            System.out.println("left in the spill folder: " + left.count());
        }
        System.exit(exit);
    }
}
