package io.formacdc.examples.springboot;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.SchemaRegistry;
import io.formacdc.core.TableName;
import io.formacdc.duckdb.CdcRunner;
import io.formacdc.manifest.Compactor;
import io.formacdc.manifest.FileSchemaRegistry;
import io.formacdc.manifest.SweepOptions;
import io.formacdc.manifest.Sweeper;
import io.formacdc.s3.S3FullClient;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/** The library's parts, made of the host's: its pool, its S3 client, its attributes, its metrics. */
@Configuration(proxyBeanMethods = false)
class CdcBeans {
    @Bean
    S3Client s3Client(CdcProperties properties) {
        S3ClientBuilder builder = S3Client.builder().region(Region.of(properties.region()));
        if (properties.endpoint() != null) {
            builder.endpointOverride(properties.endpoint())
                    .forcePathStyle(true)
                    .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                    .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
        }
        return builder.build();
    }

    /** The schemas as they are registered when the service starts. */
    @Bean
    SchemaRegistry schemaRegistry(CdcProperties properties, DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return FileSchemaRegistry.load(
                    properties.metadata(),
                    FileSchemaRegistry.readSchemaIds(connection, TableName.parse("schema_registry")));
        }
    }

    @Bean
    CdcRunner cdcRunner(
            CdcProperties properties, DataSource pool, S3Client s3, SchemaRegistry registry, CdcMetrics metrics) {
        CdcConfig config = CdcConfig.builder()
                .minRecords(properties.minRecords())
                .maxAgeMs(properties.maxAge().toMillis())
                .s3Bucket(properties.bucket())
                .s3Prefix(properties.prefix() + "/data")
                .manifestPrefix(properties.prefix())
                .build();
        return CdcRunner.builder(config)
                .dataSource(pool)
                .s3Client(S3FullClient.of(s3))
                .registry(registry)
                .listener(metrics)
                .build();
    }

    @Bean
    Compactor compactor(CdcRunner runner) {
        return runner.compactor(CompactionConfig.builder().build());
    }

    @Bean
    Sweeper sweeper(CdcRunner runner) {
        return runner.sweeper(SweepOptions.DEFAULTS);
    }
}
