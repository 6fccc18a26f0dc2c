package io.formacdc.examples.quickstart;

import io.formacdc.core.CdcConfig;
import io.formacdc.duckdb.Cdc;

/** The least that a host writes: one flush of all schemas, with the S3 client of the AWS default chain. */
final class FlushOnce {
    private FlushOnce() {}

    public static void main(String[] args) {
        CdcConfig config = CdcConfig.builder()
                .pgHost("localhost")
                .pgUser("app")
                .pgPassword(System.getenv().getOrDefault("PGPASSWORD", ""))
                .pgDb("shop")
                .s3Bucket("lake")
                .s3Prefix("data")
                .manifestPrefix("data")
                .build();
        System.out.println(Cdc.runOnce(config, null, false, null));
    }
}
