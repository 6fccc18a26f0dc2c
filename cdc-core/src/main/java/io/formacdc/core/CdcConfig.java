package io.formacdc.core;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a flush reads, when it flushes, and where it writes. Immutable. Zero, negative or empty means "not set"; {@link
 * #withDefaults()} fills what was not set and {@link #validate()} refuses what cannot work. Field names are those of
 * Go's {@code CDCConfig}; the last six have no Go counterpart.
 *
 * @param changeLogTable table of dirty rows; {@code schema.table} allowed, quoted as identifiers
 * @param entityMainTable table of hot columns
 * @param eavDataTable table of the other attributes
 * @param minRecords flush when at least so many rows are dirty
 * @param maxAgeMs flush when the oldest dirty version is at least so old, in milliseconds
 * @param batchSize most rows in one delta file
 * @param pgHost host name, IPv4 address or IPv6 address (in brackets or not) of PostgreSQL; one alone, without a port
 * @param pgPort TCP port
 * @param pgUser role to log in as
 * @param pgPassword its password; never shown
 * @param pgDb database name
 * @param pgUseIam log in with a new IAM token of RDS, Aurora or Aurora DSQL at each connection; with the password, and a
 *     warning, where none can be made
 * @param pgSslMode one of libpq's modes: disable, allow, prefer, require, verify-ca, verify-full
 * @param duckDbPath DuckDB database file, which only one pass at a time can use; empty for memory
 * @param duckThreads most threads of an export; a flush has one for each 10,000 rows of {@code batchSize}
 * @param duckMemLimit memory of an export, with a unit, as in {@code 4GB}
 * @param queryTimeout longest time of one export
 * @param parquetCompression codec: zstd, snappy, gzip, lz4, brotli or uncompressed
 * @param parquetCompressionLevel level of a codec that has levels (zstd)
 * @param estimatedRowBytes rough size of a row, by which {@code maxBatchBytes} becomes a number of rows
 * @param maxBatchBytes most bytes of one delta file, before compression
 * @param targetFileSizeMb size of a base file of the initial export, in MB
 * @param maxBatchSize most rows of a base file of the initial export
 * @param s3Bucket bucket of data and manifests, or the alias of an access point; no ARN
 * @param s3Prefix prefix of data inside the bucket; may be empty
 * @param s3Endpoint endpoint of an S3-compatible store, when no client is injected; empty for AWS
 * @param s3Region region, when no client is injected; empty for the one of the environment
 * @param s3UseSsl https for an {@code s3Endpoint} without a scheme
 * @param s3UsePath path-style addressing, when no client is injected
 * @param manifestPrefix root prefix of manifests
 * @param manifestTemplate path of a manifest under it, as in {@code manifest/{{.SchemaID}}.json}
 * @param pgSslRootCert PEM file of the authorities whose certificates verify-ca and verify-full accept, and then require
 *     does too, as in libpq; {@code system} for those that the JVM trusts; empty for the file that the environment variable
 *     {@code PGSSLROOTCERT} names, else {@code ~/.postgresql/root.crt}
 * @param manifestForm the document a new manifest is written in; an existing one keeps its form
 * @param singleWriterStore accept a store that ignores conditional writes; only one process may then write
 * @param spillDirectory folder for spill and staging files; empty for the JVM's temporary folder
 * @param transport how the rows of a flush get from PostgreSQL to the bucket
 * @param duckExtensionDirectory folder with DuckDB's extensions for {@link Transport#EXTENSIONS}, laid out as DuckDB's own;
 *     empty for that one, to which they are downloaded
 */
public record CdcConfig(
        String changeLogTable,
        String entityMainTable,
        String eavDataTable,
        int minRecords,
        long maxAgeMs,
        int batchSize,
        String pgHost,
        int pgPort,
        String pgUser,
        String pgPassword,
        String pgDb,
        boolean pgUseIam,
        String pgSslMode,
        String duckDbPath,
        int duckThreads,
        String duckMemLimit,
        Duration queryTimeout,
        String parquetCompression,
        int parquetCompressionLevel,
        int estimatedRowBytes,
        long maxBatchBytes,
        int targetFileSizeMb,
        int maxBatchSize,
        String s3Bucket,
        String s3Prefix,
        String s3Endpoint,
        String s3Region,
        boolean s3UseSsl,
        boolean s3UsePath,
        String manifestPrefix,
        String manifestTemplate,
        String pgSslRootCert,
        ManifestForm manifestForm,
        boolean singleWriterStore,
        String spillDirectory,
        Transport transport,
        String duckExtensionDirectory) {

    private static final Pattern MEMORY_LIMIT =
            Pattern.compile("(?=.*[1-9])[0-9]+(\\.[0-9]+)?\\s*[KMGT]i?B", Pattern.CASE_INSENSITIVE);
    private static final List<String> SSL_MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    private static final List<String> CODECS = List.of("zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed");
    private static final Pattern BUCKET = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]");
    private static final int MAX_ZSTD_LEVEL = 22;
    private static final Pattern NOT_IN_A_KEY = Pattern.compile("\\.\\.|//|[*?\\[\\p{Cntrl}]");

    /** Of 1024 bytes of a key, what is left by the longest name that follows, that of a base file. */
    private static final int MAX_PREFIX_BYTES = 850;
    /** Most {@code duckThreads}: DuckDB starts them all, whatever the machine has. */
    public static final int MAX_THREADS = 1024;

    /** The {@code pgSslRootCert} that stands for the authorities which the JVM trusts. */
    public static final String SYSTEM_ROOT_CERT = "system";

    private static final Duration MAX_QUERY_TIMEOUT = Duration.ofDays(365);
    private static final CdcConfig UNSET = new CdcConfig(
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
            "");

    /** @throws NullPointerException if anything is null: what is not set is zero or empty */
    public CdcConfig {
        requireNonNull(changeLogTable, "changeLogTable");
        requireNonNull(entityMainTable, "entityMainTable");
        requireNonNull(eavDataTable, "eavDataTable");
        requireNonNull(pgHost, "pgHost");
        requireNonNull(pgUser, "pgUser");
        requireNonNull(pgPassword, "pgPassword");
        requireNonNull(pgDb, "pgDb");
        requireNonNull(pgSslMode, "pgSslMode");
        requireNonNull(duckDbPath, "duckDbPath");
        requireNonNull(duckMemLimit, "duckMemLimit");
        requireNonNull(queryTimeout, "queryTimeout");
        requireNonNull(parquetCompression, "parquetCompression");
        requireNonNull(s3Bucket, "s3Bucket");
        requireNonNull(s3Prefix, "s3Prefix");
        requireNonNull(s3Endpoint, "s3Endpoint");
        requireNonNull(s3Region, "s3Region");
        requireNonNull(manifestPrefix, "manifestPrefix");
        requireNonNull(manifestTemplate, "manifestTemplate");
        requireNonNull(pgSslRootCert, "pgSslRootCert");
        requireNonNull(manifestForm, "manifestForm");
        requireNonNull(spillDirectory, "spillDirectory");
        requireNonNull(transport, "transport");
        requireNonNull(duckExtensionDirectory, "duckExtensionDirectory");
    }

    /** A builder in which nothing is set. */
    public static CdcConfigBuilder builder() {
        return UNSET.toBuilder();
    }

    /** A builder that starts from this. */
    public CdcConfigBuilder toBuilder() {
        return new CdcConfigBuilder(this);
    }

    /** A copy in which {@link CdcDefaults} stand where nothing was set. */
    public CdcConfig withDefaults() {
        return toBuilder()
                .changeLogTable(orDefault(changeLogTable, CdcDefaults.CHANGE_LOG_TABLE))
                .entityMainTable(orDefault(entityMainTable, CdcDefaults.ENTITY_MAIN_TABLE))
                .eavDataTable(orDefault(eavDataTable, CdcDefaults.EAV_DATA_TABLE))
                .minRecords(orDefault(minRecords, CdcDefaults.MIN_RECORDS))
                .maxAgeMs(orDefault(maxAgeMs, CdcDefaults.MAX_AGE_MS))
                .batchSize(orDefault(batchSize, CdcDefaults.BATCH_SIZE))
                .pgPort(orDefault(pgPort, CdcDefaults.PG_PORT))
                .pgSslMode(orDefault(pgSslMode, CdcDefaults.PG_SSL_MODE))
                .duckThreads(orDefault(duckThreads, CdcDefaults.DUCK_THREADS))
                .duckMemLimit(orDefault(duckMemLimit, CdcDefaults.DUCK_MEM_LIMIT))
                .queryTimeout(
                        queryTimeout.isZero() || queryTimeout.isNegative() ? CdcDefaults.QUERY_TIMEOUT : queryTimeout)
                .parquetCompression(orDefault(parquetCompression, CdcDefaults.PARQUET_COMPRESSION))
                .parquetCompressionLevel(orDefault(parquetCompressionLevel, CdcDefaults.PARQUET_COMPRESSION_LEVEL))
                .estimatedRowBytes(orDefault(estimatedRowBytes, CdcDefaults.ESTIMATED_ROW_BYTES))
                .maxBatchBytes(orDefault(maxBatchBytes, CdcDefaults.MAX_BATCH_BYTES))
                .targetFileSizeMb(orDefault(targetFileSizeMb, CdcDefaults.TARGET_FILE_SIZE_MB))
                .maxBatchSize(orDefault(maxBatchSize, CdcDefaults.MAX_BATCH_SIZE))
                .build();
    }

    /**
     * Returns this, if it can work. Defaults must be filled in before. Opens nothing and reads nothing.
     *
     * @throws InvalidConfigException naming every problem
     */
    public CdcConfig validate() {
        List<String> problems = problemsOfPostgres();
        problems.addAll(problemsApartFromPostgres());
        return refuseIfAny(problems);
    }

    /**
     * The same for a host that brings its own connections: what says how to reach PostgreSQL, {@code pgHost} to {@code
     * pgSslMode}, may be anything.
     *
     * @throws InvalidConfigException naming every problem
     */
    public CdcConfig validateApartFromPostgres() {
        return refuseIfAny(problemsApartFromPostgres());
    }

    private CdcConfig refuseIfAny(List<String> problems) {
        if (!problems.isEmpty()) {
            throw new InvalidConfigException(problems);
        }
        return this;
    }

    private List<String> problemsOfPostgres() {
        List<String> problems = new ArrayList<>();
        if (pgHost.isBlank()) {
            problems.add("pgHost is not set");
        } else if (!HostAddress.isValid(pgHost)) {
            // Not repeated: whoever writes a URL here may have written the password too.
            problems.add("pgHost is no host name, IPv4 or IPv6 address; give one host alone, its port as pgPort and the"
                    + " database as pgDb");
        }
        if (pgPort > 65_535) {
            problems.add("pgPort " + pgPort + " is no TCP port");
        }
        if (pgUser.isBlank()) {
            problems.add("pgUser is not set");
        }
        if (pgDb.isBlank()) {
            problems.add("pgDb is not set");
        }
        if (!SSL_MODES.contains(pgSslMode)) {
            problems.add("pgSslMode \"" + pgSslMode + "\" is none of " + String.join(", ", SSL_MODES));
        } else if (pgSslRootCert.equals(SYSTEM_ROOT_CERT) && !pgSslMode.equals("verify-full")) {
            problems.add("pgSslRootCert \"" + pgSslRootCert + "\" needs pgSslMode verify-full: every host of the"
                    + " Internet can have a certificate of those authorities");
        }
        return problems;
    }

    private List<String> problemsApartFromPostgres() {
        List<String> problems = new ArrayList<>();
        if (duckThreads > MAX_THREADS) {
            problems.add("duckThreads " + duckThreads + " is above " + MAX_THREADS);
        }
        if (queryTimeout.compareTo(MAX_QUERY_TIMEOUT) > 0) {
            problems.add("queryTimeout " + queryTimeout + " is longer than " + MAX_QUERY_TIMEOUT);
        }
        if (!MEMORY_LIMIT.matcher(duckMemLimit).matches()) {
            problems.add("duckMemLimit \"" + duckMemLimit + "\" is no amount of memory such as 512MB or 4GB");
        }
        if (!CODECS.contains(parquetCompression.toLowerCase(Locale.ROOT))) {
            problems.add("parquetCompression \"" + parquetCompression + "\" is none of " + String.join(", ", CODECS));
        }
        if (parquetCompressionLevel > MAX_ZSTD_LEVEL) {
            problems.add("parquetCompressionLevel " + parquetCompressionLevel + " is above " + MAX_ZSTD_LEVEL);
        }
        if (targetFileSizeMb > CompactionConfig.MAX_FILE_SIZE_MB) {
            problems.add("targetFileSizeMb " + targetFileSizeMb + " may not be above "
                    + CompactionConfig.MAX_FILE_SIZE_MB + ": S3 takes no more in one request");
        }
        problemOfBucket().ifPresent(problems::add);
        problemOfKey("s3Prefix", s3Prefix).ifPresent(problems::add);
        problemOfKey("manifestPrefix", manifestPrefix).ifPresent(problems::add);
        problemOfKey("manifestTemplate", manifestTemplate).ifPresent(problems::add);
        ManifestConfig.of(this).flatMap(ManifestConfig::problem).ifPresent(problems::add);
        problemOfTable("changeLogTable", changeLogTable).ifPresent(problems::add);
        problemOfTable("entityMainTable", entityMainTable).ifPresent(problems::add);
        problemOfTable("eavDataTable", eavDataTable).ifPresent(problems::add);
        return problems;
    }

    private Optional<String> problemOfBucket() {
        if (s3Bucket.isEmpty()) {
            return Optional.of("s3Bucket is not set");
        }
        if (s3Bucket.startsWith("arn:")) {
            return Optional.of(
                    "s3Bucket \"" + s3Bucket + "\" is an ARN, whose slash no s3://bucket/key can hold; give the"
                            + " alias of the access point, which ends in -s3alias");
        }
        return BUCKET.matcher(s3Bucket).matches()
                ? Optional.empty()
                : Optional.of("s3Bucket \"" + s3Bucket + "\" is no bucket name");
    }

    /** Most rows of one delta file: {@code batchSize}, or fewer where {@code maxBatchBytes} asks for it; at least 1. */
    int chunkRows() {
        return (int) Math.max(1, Math.min(batchSize, maxBatchBytes / estimatedRowBytes));
    }

    /** All but the password, and but what stands in {@code pgHost} and is no host: a URL there may hold the password. */
    @Override
    public String toString() {
        String host = pgHost.isEmpty() || HostAddress.isValid(pgHost) ? pgHost : "(no host)";
        return "CdcConfig[" + pgUser + "@" + host + ":" + pgPort + "/" + pgDb + " sslmode=" + pgSslMode + ", tables "
                + changeLogTable + " " + entityMainTable + " " + eavDataTable + ", minRecords=" + minRecords
                + " maxAgeMs=" + maxAgeMs + " batchSize=" + batchSize + ", duckdb threads=" + duckThreads + " memory="
                + duckMemLimit + " timeout=" + queryTimeout + ", " + parquetCompression + ":" + parquetCompressionLevel
                + ", s3://" + s3Bucket + "/" + s3Prefix + ", manifests " + manifestPrefix + " " + manifestTemplate
                + "]";
    }

    private static Optional<String> problemOfKey(String field, String text) {
        if (text.startsWith("/") || NOT_IN_A_KEY.matcher(text).find()) {
            return Optional.of(
                    field + " \"" + text.replaceAll("\\p{Cntrl}", "\ufffd") + "\" may not start with a slash or"
                            + " hold \"..\", \"//\", \"*\", \"?\", \"[\" or a control character");
        } else if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            return Optional.of(field + " holds half of a surrogate pair, which UTF-8 cannot write");
        } else if (text.getBytes(StandardCharsets.UTF_8).length > MAX_PREFIX_BYTES) {
            return Optional.of(field + " is longer than " + MAX_PREFIX_BYTES + " bytes; a whole key has at most 1024");
        }
        return Optional.empty();
    }

    private static Optional<String> problemOfTable(String field, String text) {
        try {
            TableName.parse(text);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(field + ": " + e.getMessage());
        }
    }

    private static String orDefault(String value, String defaultValue) {
        return value.isEmpty() ? defaultValue : value;
    }

    private static int orDefault(int value, int defaultValue) {
        return value <= 0 ? defaultValue : value;
    }

    private static long orDefault(long value, long defaultValue) {
        return value <= 0 ? defaultValue : value;
    }
}
