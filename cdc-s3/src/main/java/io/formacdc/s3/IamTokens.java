package io.formacdc.s3;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner.AuthLocation;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/**
 * Passwords that PostgreSQL on AWS accepts for a quarter of an hour: IAM tokens of RDS, Aurora and Aurora DSQL, signed
 * here without asking AWS. Parameters and signature are those of the AWS SDK's {@code RdsUtilities} and {@code
 * DsqlUtilities}.
 * Thread-safe.
 */
public final class IamTokens {
    private static final Duration LIFETIME = Duration.ofMinutes(15);

    /** Where DSQL lives, its region in the first group. */
    private static final Pattern DSQL =
            Pattern.compile(".+\\.dsql[a-z0-9-]*\\.([a-z0-9-]+)\\.on\\.aws", Pattern.CASE_INSENSITIVE);

    private static final Pattern RDS =
            Pattern.compile(".+\\.([a-z0-9-]+)\\.rds\\.amazonaws\\.com(?:\\.cn)?", Pattern.CASE_INSENSITIVE);

    /** The role of DSQL that has a permission of its own. */
    private static final String DSQL_ADMIN = "admin";

    private final CdcConfig config;
    private final AwsCredentialsProvider credentials;
    private final Clock clock;

    IamTokens(CdcConfig config, AwsCredentialsProvider credentials, Clock clock) {
        this.config = config;
        this.credentials = credentials;
        this.clock = clock;
    }

    /**
     * Tokens for {@code pgUser} at {@code pgHost}, with the credentials of the AWS default chain. Reads nothing yet.
     *
     * @param config with defaults filled in
     */
    public static IamTokens of(CdcConfig config) {
        return new IamTokens(config, DefaultCredentialsProvider.builder().build(), Clock.systemUTC());
    }

    /**
     * A new token, by the credentials as they are now. The region is the one in the host's name; for a host of another
     * name it is {@code s3Region}, and without that, the one of the AWS default chain.
     *
     * @throws CdcException if there are no credentials, or no region; the message holds nothing secret
     */
    public String next() {
        try {
            return sign();
        } catch (SdkException e) {
            throw new CdcException("no IAM token for PostgreSQL could be made: " + shortOf(e.getMessage()), e);
        }
    }

    /** Without the list of all places that were looked at, which the cause has. */
    private static String shortOf(@Nullable String message) {
        return message == null ? "no reason is known" : message.split("[(:]", 2)[0].strip();
    }

    private String sign() {
        boolean isDsql = DSQL.matcher(config.pgHost()).matches();
        SdkHttpRequest.Builder login = SdkHttpRequest.builder()
                .method(SdkHttpMethod.GET)
                .protocol("https")
                .host(config.pgHost());
        login.encodedPath("/");
        if (isDsql) {
            boolean isAdmin = config.pgUser().equals(DSQL_ADMIN);
            login.putRawQueryParameter("Action", isAdmin ? "DbConnectAdmin" : "DbConnect");
        } else {
            login.port(config.pgPort());
            login.putRawQueryParameter("DBUser", config.pgUser());
            login.putRawQueryParameter("Action", "connect");
        }
        String url = AwsV4HttpSigner.create()
                .sign(request -> request.identity(credentials.resolveCredentials())
                        .request(login.build())
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, isDsql ? "dsql" : "rds-db")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, region())
                        .putProperty(AwsV4HttpSigner.AUTH_LOCATION, AuthLocation.QUERY_STRING)
                        .putProperty(AwsV4HttpSigner.EXPIRATION_DURATION, LIFETIME)
                        .putProperty(HttpSigner.SIGNING_CLOCK, clock))
                .request()
                .getUri()
                .toString();
        return url.substring("https://".length());
    }

    private String region() {
        return regionIn(DSQL, config.pgHost())
                .or(() -> regionIn(RDS, config.pgHost()))
                .or(() -> Optional.of(config.s3Region()).filter(region -> !region.isEmpty()))
                .orElseGet(() -> DefaultAwsRegionProviderChain.builder()
                        .build()
                        .getRegion()
                        .id());
    }

    private static Optional<String> regionIn(Pattern hosts, String host) {
        Matcher matcher = hosts.matcher(host);
        return matcher.matches() ? Optional.of(matcher.group(1).toLowerCase(Locale.ROOT)) : Optional.empty();
    }
}
