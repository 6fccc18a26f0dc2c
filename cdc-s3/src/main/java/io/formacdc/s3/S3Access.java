package io.formacdc.s3;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import java.net.URI;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.AwsRegionProviderChain;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/**
 * What another engine needs to reach the bucket by itself. Immutable; its text shows no secret.
 *
 * @param secretKey never shown
 * @param sessionToken belongs to the pair before it; empty for a pair that lives on; never shown
 * @param endpoint host, and port if any, of an S3-compatible store; empty for AWS
 */
public record S3Access(
        String bucket,
        String accessKey,
        String secretKey,
        String sessionToken,
        String region,
        String endpoint,
        boolean usesSsl,
        boolean usesPath) {

    /** With one fixed access key. */
    public static S3Access of(CdcConfig config, String accessKey, String secretKey) {
        return of(config, accessKey, secretKey, "");
    }

    /**
     * With what the AWS default chain gives now: a credential that is rotated has to be asked for again.
     *
     * @throws CdcException if it gives none
     */
    public static S3Access ofDefaultChain(CdcConfig config) {
        try (DefaultCredentialsProvider chain =
                DefaultCredentialsProvider.builder().build()) {
            AwsCredentials found = chain.resolveCredentials();
            String token = found instanceof AwsSessionCredentials session ? session.sessionToken() : "";
            return of(config, found.accessKeyId(), found.secretAccessKey(), token);
        } catch (SdkException e) {
            throw new CdcException("DuckDB needs an access key of its own, and the AWS default chain has none", e);
        }
    }

    private static S3Access of(CdcConfig config, String accessKey, String secretKey, String sessionToken) {
        String host = "";
        boolean ssl = true;
        if (!config.s3Endpoint().isEmpty()) {
            URI endpoint = S3Clients.endpoint(config);
            host = endpoint.getRawAuthority();
            ssl = !"http".equals(endpoint.getScheme());
        }
        return new S3Access(
                config.s3Bucket(),
                accessKey,
                secretKey,
                sessionToken,
                region(config.s3Region()),
                host,
                ssl,
                config.s3UsePath());
    }

    private static String region(String configured) {
        if (!configured.isEmpty()) {
            return configured;
        }
        return new AwsRegionProviderChain(
                        DefaultAwsRegionProviderChain.builder().build(), () -> Region.US_EAST_1)
                .getRegion()
                .id();
    }

    @Override
    public String toString() {
        return "S3Access[s3://" + bucket + (endpoint.isEmpty() ? "" : " at " + endpoint) + ", " + region + "]";
    }
}
