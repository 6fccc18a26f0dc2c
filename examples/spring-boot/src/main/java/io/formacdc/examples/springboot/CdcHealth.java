package io.formacdc.examples.springboot;

import java.time.Duration;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.actuate.health.Status;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import software.amazon.awssdk.services.s3.S3Client;

/** What {@code /actuator/health} says beside Spring's own look at the database. */
@Configuration(proxyBeanMethods = false)
class CdcHealth {
    /** Whether the bucket is there, and may be used. */
    @Bean
    HealthIndicator bucketHealthIndicator(S3Client s3, CdcProperties properties) {
        return () -> {
            Health.Builder health = Health.up().withDetail("bucket", properties.bucket());
            try {
                s3.headBucket(request -> request.bucket(properties.bucket()));
                return health.build();
            } catch (RuntimeException e) {
                return health.down(e).build();
            }
        };
    }

    /** Whether the last runs went well, and no dirty row has waited for too long. */
    @Bean
    HealthIndicator cdcHealthIndicator(CdcSchedule schedule, CdcMetrics metrics, CdcProperties properties) {
        return () -> {
            Duration age = metrics.ageOfBacklog();
            boolean failed = schedule.lastRuns().values().stream().anyMatch(run -> run.failure() != null);
            boolean late = age.compareTo(properties.alarmAge()) > 0;
            return Health.status(failed || late ? Status.DOWN : Status.UP)
                    .withDetail("ageOfBacklog", age)
                    .withDetail("lastRuns", schedule.lastRuns())
                    .build();
        };
    }
}
