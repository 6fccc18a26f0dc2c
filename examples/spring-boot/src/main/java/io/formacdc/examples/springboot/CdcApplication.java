package io.formacdc.examples.springboot;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.scheduling.annotation.EnableScheduling;

/** Flushes a PostgreSQL change log to Parquet files on S3, for as long as it runs. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableScheduling
@EnableConfigurationProperties(CdcProperties.class)
public class CdcApplication {
    /** What can be set stands in {@code application.yml}. */
    public static void main(String[] args) {
        SpringApplication.run(CdcApplication.class, args);
    }
}
