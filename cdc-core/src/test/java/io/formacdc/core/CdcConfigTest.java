package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CdcConfigTest {
    private static final CdcConfig EVERYTHING_SET = new CdcConfig(
            "log",
            "main",
            "eav",
            11,
            12,
            13,
            "host",
            14,
            "user",
            "hunter2",
            "db",
            true,
            "disable",
            "duck.db",
            15,
            "16MB",
            Duration.ofSeconds(17),
            "gzip",
            18,
            19,
            20,
            21,
            22,
            "bucket",
            "data",
            "http://store",
            "region",
            true,
            true,
            "manifests",
            "{{.SchemaID}}.json",
            "ca.pem",
            ManifestForm.FILES,
            true,
            "spill",
            Transport.EXTENSIONS,
            "extensions");

    @Test
    void nothingIsSetInAFreshBuilder() {
        assertThat(CdcConfig.builder().build())
                .isEqualTo(new CdcConfig(
                        "",
                        "",
                        "",
                        0,
                        0,
                        0,
                        "",
                        0,
                        "",
                        "",
                        "",
                        false,
                        "",
                        "",
                        0,
                        "",
                        Duration.ZERO,
                        "",
                        0,
                        0,
                        0,
                        0,
                        0,
                        "",
                        "",
                        "",
                        "",
                        false,
                        false,
                        "",
                        "",
                        "",
                        ManifestForm.TIERED,
                        false,
                        "",
                        Transport.BUILT_IN,
                        ""));
    }

    @Test
    void defaultsAreThoseOfTheGoPackage() {
        assertThat(CdcConfig.builder().build().withDefaults())
                .isEqualTo(new CdcConfig(
                        "change_log",
                        "entity_main",
                        "eav_data",
                        20_000,
                        3_600_000,
                        10_000,
                        "",
                        5432,
                        "",
                        "",
                        "",
                        false,
                        "require",
                        "",
                        4,
                        "4GB",
                        Duration.ofMinutes(5),
                        "zstd",
                        3,
                        1024,
                        52_428_800,
                        256,
                        10_000_000,
                        "",
                        "",
                        "",
                        "",
                        false,
                        false,
                        "",
                        "",
                        "",
                        ManifestForm.TIERED,
                        false,
                        "",
                        Transport.BUILT_IN,
                        ""));
    }

    @Test
    void whatIsSetIsKept() {
        assertThat(EVERYTHING_SET.withDefaults()).isEqualTo(EVERYTHING_SET);
        assertThat(EVERYTHING_SET.toBuilder().build()).isEqualTo(EVERYTHING_SET);
    }

    @Test
    void everyFieldHasASetterThatSetsItAlone() throws ReflectiveOperationException {
        CdcConfig unset = CdcConfig.builder().build();
        for (RecordComponent field : CdcConfig.class.getRecordComponents()) {
            Object value = field.getAccessor().invoke(EVERYTHING_SET);
            CdcConfigBuilder builder = CdcConfig.builder();
            Method setter = CdcConfigBuilder.class.getMethod(field.getName(), field.getType());
            assertThat(setter.invoke(builder, value)).isSameAs(builder);
            CdcConfig built = builder.build();
            for (RecordComponent each : CdcConfig.class.getRecordComponents()) {
                assertThat(each.getAccessor().invoke(built))
                        .as("%s after setting %s", each.getName(), field.getName())
                        .isEqualTo(each.getAccessor()
                                .invoke(each.getName().equals(field.getName()) ? EVERYTHING_SET : unset))
                        .isNotNull();
            }
        }
    }

    @Test
    void aNegativeNumberIsNotSet() {
        CdcConfig defaults = CdcConfig.builder().build().withDefaults();
        CdcConfig negative = CdcConfig.builder()
                .minRecords(-1)
                .maxAgeMs(-1)
                .batchSize(-1)
                .pgPort(-1)
                .duckThreads(-1)
                .queryTimeout(Duration.ofMillis(-1))
                .parquetCompressionLevel(-1)
                .estimatedRowBytes(-1)
                .maxBatchBytes(-1)
                .targetFileSizeMb(-1)
                .maxBatchSize(-1)
                .build();
        assertThat(negative.withDefaults()).isEqualTo(defaults);
    }

    @Test
    void nullIsRefusedWithTheNameOfTheField() {
        assertThatThrownBy(() -> CdcConfig.builder().pgPassword(none()).build())
                .isInstanceOf(NullPointerException.class)
                .hasMessage("pgPassword");
    }

    @Test
    void theLeastThatWorksIsAccepted() {
        CdcConfig least = with(c -> c);
        assertThat(least.validate()).isSameAs(least);
    }

    @Test
    void everyProblemIsNamed() {
        CdcConfig hopeless = CdcConfig.builder()
                .changeLogTable("a.b.c")
                .entityMainTable("main.")
                .eavDataTable(".eav")
                .pgPort(65_536)
                .pgSslMode("tls")
                .duckMemLimit("lots")
                .duckThreads(1_000_000)
                .queryTimeout(Duration.ofSeconds(Long.MAX_VALUE))
                .parquetCompression("rar")
                .parquetCompressionLevel(23)
                .targetFileSizeMb(3_001)
                .s3Prefix("/data")
                .manifestPrefix("../elsewhere")
                .manifestTemplate("manifest.json")
                .build()
                .withDefaults();
        InvalidConfigException e = catchThrowableOfType(InvalidConfigException.class, hopeless::validate);
        assertThat(e.problems())
                .satisfiesExactlyInAnyOrder(
                        problem -> assertThat(problem).contains("targetFileSizeMb 3001", "3000"),
                        problem -> assertThat(problem).contains("duckThreads 1000000", "1024"),
                        problem -> assertThat(problem).contains("queryTimeout", "PT8760H"),
                        problem -> assertThat(problem).isEqualTo("pgHost is not set"),
                        problem -> assertThat(problem).isEqualTo("pgUser is not set"),
                        problem -> assertThat(problem).isEqualTo("pgDb is not set"),
                        problem -> assertThat(problem).isEqualTo("s3Bucket is not set"),
                        problem -> assertThat(problem).startsWith("pgPort 65536 "),
                        problem -> assertThat(problem).startsWith("pgSslMode \"tls\" is none of disable, "),
                        problem -> assertThat(problem).startsWith("duckMemLimit \"lots\" "),
                        problem -> assertThat(problem).startsWith("parquetCompression \"rar\" is none of zstd, "),
                        problem -> assertThat(problem).startsWith("parquetCompressionLevel 23 "),
                        problem -> assertThat(problem).startsWith("s3Prefix \"/data\" "),
                        problem -> assertThat(problem).startsWith("manifestPrefix \"../elsewhere\" "),
                        problem -> assertThat(problem).startsWith("manifestTemplate \"manifest.json\" "),
                        problem -> assertThat(problem).startsWith("changeLogTable: \"a.b.c\" "),
                        problem -> assertThat(problem).startsWith("entityMainTable: \"main.\" "),
                        problem -> assertThat(problem).startsWith("eavDataTable: \".eav\" "));
        assertThat(e).hasMessageContainingAll(e.problems().toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"512MB", "4GB", "4 gb", "1.5GiB", "0.5GB", "10TB"})
    void memoryLimitsThatDuckDbReadsAreAccepted(String limit) {
        with(c -> c.duckMemLimit(limit)).validate();
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "GB", "0GB", "0.0GB", "-1GB", "4 Gigs", "4GB; DROP", " "})
    void otherMemoryLimitsAreRefused(String limit) {
        assertProblem(with(c -> c.duckMemLimit(limit)), "duckMemLimit");
    }

    @ParameterizedTest
    @ValueSource(strings = {"zstd", "ZSTD", "snappy", "gzip", "lz4", "brotli", "uncompressed"})
    void codecsOfParquetAreAccepted(String codec) {
        with(c -> c.parquetCompression(codec)).validate();
    }

    @ParameterizedTest
    @ValueSource(strings = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
    void sslModesOfLibpqAreAccepted(String mode) {
        with(c -> c.pgSslMode(mode)).validate();
        with(c -> c.pgSslMode(mode).pgSslRootCert("ca.pem")).validate();
    }

    @Test
    void authoritiesOfTheSystemNeedTheHostsNameToBeChecked() {
        with(c -> c.pgSslMode("verify-full").pgSslRootCert("system")).validate();
        assertThatThrownBy(() -> with(c -> c.pgSslMode("verify-ca").pgSslRootCert("system"))
                        .validate())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("pgSslRootCert \"system\" needs pgSslMode verify-full");
    }

    @Test
    void howToReachPostgresIsNobodysBusinessWhereAHostBringsItsConnections() {
        CdcConfig config = with(c ->
                c.pgHost("").pgPort(99_999).pgUser("").pgDb("").pgSslMode("tls").pgSslRootCert("system"));
        assertThatThrownBy(config::validate).isInstanceOf(InvalidConfigException.class);
        assertThat(config.validateApartFromPostgres()).isSameAs(config);
        assertThatThrownBy(() -> config.toBuilder().s3Bucket("").build().validateApartFromPostgres())
                .hasMessageContaining("s3Bucket is not set");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ab", "a/b", "has space", "-dash", "s3://bucket"})
    void namesThatAreNoBucketsAreRefused(String bucket) {
        assertProblem(with(c -> c.s3Bucket(bucket)), "s3Bucket");
    }

    @Test
    void anAccessPointIsNamedByItsAlias() {
        String arn = "arn:aws:s3:eu-central-1:123456789012:accesspoint/lake";
        assertThatThrownBy(() -> with(c -> c.s3Bucket(arn)).withDefaults().validate())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(
                        "s3Bucket \"" + arn + "\" is an ARN, whose slash no s3://bucket/key can hold; give"
                                + " the alias of the access point");
        with(c -> c.s3Bucket("lake-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"))
                .withDefaults()
                .validate();
    }

    @Test
    void aPrefixLeavesRoomForTheNamesUnderIt() {
        with(c -> c.s3Prefix("ü".repeat(425))).withDefaults().validate();
        assertProblem(with(c -> c.s3Prefix("ü".repeat(426))), "s3Prefix is longer than 850 bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a", "a/../b", "a*", "a?", "a[0]", "a\0", "a//b", "a\nb", "a\ud800b", "\u007f"})
    void prefixesThatAreNoPlainKeysAreRefused(String prefix) {
        assertProblem(with(c -> c.s3Prefix(prefix)), "s3Prefix");
        assertProblem(with(c -> c.manifestPrefix(prefix)), "manifestPrefix");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "db_1.example",
                "DB-1.Example.",
                "1st.example",
                "xn--bcher-kva.example",
                "10.0.0.255",
                "::1",
                "[::1]",
                "2001:db8::5",
                "[2001:DB8:0:0:0:0:0:5]",
                "::ffff:10.0.0.1"
            })
    void hostNamesAndAddressesAreAccepted(String host) {
        with(c -> c.pgHost(host)).validate();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost:5433",
                "localhost:5433/db?x=y",
                "localhost/db",
                "localhost?sslmode=disable",
                "localhost#x",
                "user:hunter2@localhost",
                "one,two",
                "one:1,two:2",
                " localhost",
                "local host",
                "/var/run/postgresql",
                "jdbc:postgresql://localhost",
                "-dash",
                "a..b",
                ".",
                "%6c",
                "bücher.example",
                "10.0.0.256",
                "10.0.0",
                "10.0.0.1.",
                "10.0.0.1:5432",
                "[localhost]",
                "[10.0.0.1]",
                "[::1",
                "::1]",
                "[[::1]]",
                "[::1]:5432",
                "[]",
                ":",
                "1::2::3",
                "::1%eth0",
                "::1/db"
            })
    void whatIsNotOneHostAloneIsRefusedWithoutRepeatingIt(String host) {
        CdcConfig config = with(c -> c.pgHost(host));
        assertProblem(config, "pgHost is no host name, IPv4 or IPv6 address");
        assertThat(catchThrowableOfType(InvalidConfigException.class, config::validate))
                .hasMessageContainingAll("pgPort", "pgDb")
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void namesAsLongAsDnsAllowsAreAcceptedAndNoLonger() {
        String label = "a".repeat(63);
        String longest = label + "." + label + "." + label + "." + label.substring(2);
        with(c -> c.pgHost(longest)).validate();
        assertProblem(with(c -> c.pgHost(longest + "a")), "pgHost");
        assertProblem(with(c -> c.pgHost(label + "a")), "pgHost");
    }

    @Test
    void aChunkIsABatchOrWhatItsBytesAllow() {
        assertThat(with(c -> c).chunkRows()).isEqualTo(10_000);
        assertThat(with(c -> c.batchSize(100_000)).chunkRows()).isEqualTo(51_200);
        assertThat(with(c -> c.batchSize(100_000).maxBatchBytes(Long.MAX_VALUE)).chunkRows())
                .isEqualTo(100_000);
        assertThat(with(c -> c.estimatedRowBytes(2048).maxBatchBytes(2047)).chunkRows())
                .isEqualTo(1);
    }

    @Test
    void thePasswordIsShownNowhere() {
        assertThat(EVERYTHING_SET.toString()).contains("user@host:14/db").doesNotContain("hunter2");
        Object builder = EVERYTHING_SET.toBuilder();
        assertThat(builder.toString()).doesNotContain("hunter2");
        assertThat(catchThrowableOfType(
                        InvalidConfigException.class,
                        () -> CdcConfig.builder().pgPassword("hunter2").build().validate()))
                .hasMessageNotContaining("hunter2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"postgres://me:hunter2@h/db", "me:hunter2@h", "h/db?password=hunter2", "h password=hunter2"})
    void aPasswordInThePlaceOfTheHostIsShownNowhere(String host) {
        CdcConfig config = with(c -> c.pgHost(host));
        assertThat(config.toString()).contains("u@(no host):5432/d").doesNotContain("hunter2");
        Object builder = config.toBuilder();
        assertThat(builder.toString()).doesNotContain("hunter2");
        assertThat(catchThrowableOfType(InvalidConfigException.class, config::validate))
                .hasMessageNotContaining("hunter2");
    }

    private static CdcConfig with(UnaryOperator<CdcConfigBuilder> change) {
        CdcConfigBuilder builder =
                CdcConfig.builder().pgHost("localhost").pgUser("u").pgDb("d").s3Bucket("bucket");
        return change.apply(builder).build().withDefaults();
    }

    private static void assertProblem(CdcConfig config, String field) {
        assertThat(catchThrowableOfType(InvalidConfigException.class, config::validate)
                        .problems())
                .singleElement()
                .asString()
                .startsWith(field);
    }

    @SuppressWarnings("NullAway")
    private static String none() {
        return null;
    }
}
