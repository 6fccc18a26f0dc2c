package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;

class IamTokensTest {
    private static final String KEY = "AKIDEXAMPLE";
    private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    @ParameterizedTest
    @CsvFileSource(resources = "iam-tokens.tsv", delimiter = '\t')
    void isWhatTheUtilitiesOfTheSdkMake(
            String host, int port, String user, String region, Instant now, String session, String token) {
        AwsCredentials credentials = session == null
                ? AwsBasicCredentials.create(KEY, SECRET)
                : AwsSessionCredentials.create(KEY, SECRET, session);
        CdcConfig config = CdcConfig.builder()
                .pgHost(host)
                .pgPort(port)
                .pgUser(user)
                .s3Region(region)
                .build();
        IamTokens tokens =
                new IamTokens(config, StaticCredentialsProvider.create(credentials), Clock.fixed(now, ZoneOffset.UTC));
        assertThat(parts(tokens.next())).isEqualTo(parts(token)).hasSizeGreaterThan(7);
    }

    /** Host and parameters; their order says nothing, and is not what is signed. */
    private static Set<String> parts(String token) {
        return Set.of(token.split("[?&]", -1));
    }

    @ParameterizedTest
    @CsvSource({
        "db.abc123.us-east-1.rds.amazonaws.com, eu-west-3, us-east-1%2Frds-db",
        "db.abc123.cn-north-1.rds.amazonaws.com.cn, eu-west-3, cn-north-1%2Frds-db",
        "cluster.dsql.us-west-2.on.aws, eu-west-3, us-west-2%2Fdsql",
        "cluster.dsql-fips.us-west-2.on.aws, eu-west-3, us-west-2%2Fdsql",
        "DB.abc123.US-EAST-1.rds.amazonaws.com, eu-west-3, us-east-1%2Frds-db",
        "postgres.internal, eu-west-3, eu-west-3%2Frds-db"
    })
    void theHostsOwnRegionComesFirst(String host, String s3Region, String scope) {
        CdcConfig config = CdcConfig.builder()
                .pgHost(host)
                .pgPort(5432)
                .pgUser("app")
                .s3Region(s3Region)
                .build();
        IamTokens tokens = new IamTokens(
                config, StaticCredentialsProvider.create(AwsBasicCredentials.create(KEY, SECRET)), Clock.systemUTC());
        assertThat(tokens.next()).contains("%2F" + scope + "%2Faws4_request");
    }

    @Test
    void withoutCredentialsItSaysSo() {
        CdcConfig config = CdcConfig.builder()
                .pgHost("db.abc123.us-east-1.rds.amazonaws.com")
                .pgPort(5432)
                .pgUser("app")
                .build();
        IamTokens tokens = new IamTokens(
                config,
                () -> {
                    throw SdkClientException.create("nobody is logged in (chain=[a, b]) : [a: no]");
                },
                Clock.systemUTC());
        assertThatThrownBy(tokens::next)
                .isInstanceOf(CdcException.class)
                .hasMessage("no IAM token for PostgreSQL could be made: nobody is logged in");
    }
}
