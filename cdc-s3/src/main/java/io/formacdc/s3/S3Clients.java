package io.formacdc.s3;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.InvalidConfigException;
import java.net.URI;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.AwsProfileRegionProvider;
import software.amazon.awssdk.regions.providers.AwsRegionProviderChain;
import software.amazon.awssdk.regions.providers.SystemSettingsRegionProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/** Makes S3 clients for hosts that inject none. The caller closes them. */
public final class S3Clients {
    private S3Clients() {}

    /**
     * A client with the credentials of the AWS default chain, followed as they rotate, at {@code s3Endpoint} (https or http
     * by {@code s3UseSsl} if it has no scheme) or at AWS, in {@code s3Region} or in the region of the environment,
     * path-style if {@code s3UsePath}. An endpoint needs no region; the signature then names us-east-1. Sends nothing yet.
     *
     * @throws InvalidConfigException if the endpoint is no URL
     */
    public static S3Client create(CdcConfig config) {
        return build(builder(config), config);
    }

    /** The same with one fixed access key. */
    public static S3Client create(CdcConfig config, String accessKey, String secretKey) {
        S3ClientBuilder builder = builder(config)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKey, secretKey)));
        return build(builder, config);
    }

    private static S3Client build(S3ClientBuilder builder, CdcConfig config) {
        try {
            return builder.build();
        } catch (SdkClientException e) {
            if (config.s3Region().isEmpty() && config.s3Endpoint().isEmpty()) {
                throw new InvalidConfigException(
                        List.of("s3Region is not set, and the environment names no AWS region either"));
            }
            throw e;
        }
    }

    private static S3ClientBuilder builder(CdcConfig config) {
        // Named, not found on the class path: a host may have several HTTP clients there.
        S3ClientBuilder builder = S3Client.builder()
                .httpClientBuilder(Apache5HttpClient.builder())
                .forcePathStyle(config.s3UsePath());
        if (!config.s3Region().isEmpty()) {
            builder.region(Region.of(config.s3Region()));
        }
        if (!config.s3Endpoint().isEmpty()) {
            builder.endpointOverride(endpoint(config));
            // Many S3-compatible stores do not know the checksums that the SDK otherwise adds to every request.
            builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                    .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
            if (config.s3Region().isEmpty()) {
                // Not the metadata service of EC2, for which a machine elsewhere would wait in vain.
                builder.region(new AwsRegionProviderChain(
                                new SystemSettingsRegionProvider(),
                                new AwsProfileRegionProvider(),
                                () -> Region.US_EAST_1)
                        .getRegion());
            }
        }
        return builder;
    }

    static URI endpoint(CdcConfig config) {
        String text = config.s3Endpoint();
        String url = text.contains("://") ? text : (config.s3UseSsl() ? "https://" : "http://") + text;
        try {
            return URI.create(url).parseServerAuthority();
        } catch (IllegalArgumentException | java.net.URISyntaxException e) {
            throw new InvalidConfigException(List.of("s3Endpoint \"" + text + "\" is no URL of a server"));
        }
    }
}
