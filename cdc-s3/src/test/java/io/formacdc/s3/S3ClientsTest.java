package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcConfigBuilder;
import io.formacdc.core.InvalidConfigException;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetUrlRequest;

class S3ClientsTest {
    @ParameterizedTest
    @CsvSource({
        "minio.local:9000, false, http://minio.local:9000/bucket/key",
        "minio.local:9000, true, https://minio.local:9000/bucket/key",
        "https://minio.local, false, https://minio.local/bucket/key",
        "http://minio.local:9000/, true, http://minio.local:9000/bucket/key"
    })
    void anEndpointWithoutASchemeTakesItFromUseSsl(String endpoint, boolean useSsl, String url) {
        assertThat(urlOf(config().s3Endpoint(endpoint).s3UseSsl(useSsl).s3UsePath(true)))
                .isEqualTo(url);
    }

    @Test
    void usePathDecidesWhereTheBucketStands() {
        CdcConfigBuilder config = config().s3Endpoint("https://store.example");
        assertThat(urlOf(config.s3UsePath(true))).isEqualTo("https://store.example/bucket/key");
        assertThat(urlOf(config.s3UsePath(false))).isEqualTo("https://bucket.store.example/key");
    }

    @Test
    void theConfiguredRegionIsUsed() {
        try (S3Client client =
                S3Clients.create(config().s3Region("eu-central-1").build())) {
            assertThat(client.serviceClientConfiguration().region()).isEqualTo(Region.EU_CENTRAL_1);
            assertThat(client.serviceClientConfiguration().endpointOverride()).isEmpty();
        }
    }

    @Test
    void anEndpointIsOverriddenOnlyWhenConfigured() {
        try (S3Client client =
                S3Clients.create(config().s3Endpoint("http://h:1").build(), "key", "secret")) {
            assertThat(client.serviceClientConfiguration().endpointOverride()).contains(URI.create("http://h:1"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://", "two words:9000", "http://host:port"})
    void anEndpointThatIsNoUrlIsRefused(String endpoint) {
        assertThatThrownBy(() -> S3Clients.create(config().s3Endpoint(endpoint).build()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("s3Endpoint");
    }

    private static CdcConfigBuilder config() {
        return CdcConfig.builder().s3Region("us-east-1");
    }

    private static String urlOf(CdcConfigBuilder config) {
        try (S3Client client = S3Clients.create(config.build(), "key", "secret")) {
            return client.utilities()
                    .getUrl(GetUrlRequest.builder().bucket("bucket").key("key").build())
                    .toString();
        }
    }
}
