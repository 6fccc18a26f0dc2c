package io.formacdc.examples.springboot;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What can be set under {@code cdc}. The database and its password are Spring's ({@code spring.datasource}), the access key
 * of the bucket that of the AWS default chain.
 *
 * @param metadata folder of {@code {schema}_attributes.json}
 * @param bucket of data and manifests
 * @param prefix under which both stand in the bucket
 * @param region of the bucket
 * @param endpoint of an S3-compatible store; AWS without one
 * @param minRecords flush a schema when at least so many rows are dirty
 * @param maxAge or when the oldest of them is so old
 * @param alarmAge the service is unwell when the oldest of them is so old
 */
@ConfigurationProperties("cdc")
record CdcProperties(
        Path metadata,
        String bucket,
        @DefaultValue("cdc") String prefix,
        @DefaultValue("us-east-1") String region,
        @Nullable URI endpoint,
        @DefaultValue("20000") int minRecords,
        @DefaultValue("1h") Duration maxAge,
        @DefaultValue("3h") Duration alarmAge) {}
