package io.formacdc.core;

import java.time.Duration;

/**
 * Builds a {@link CdcConfig}; what each field means is said there. Made by {@link CdcConfig#builder()} and {@link
 * CdcConfig#toBuilder()}. Not thread-safe. Written by hand, because a generated one shows the password in its text.
 */
public final class CdcConfigBuilder {
    private String changeLogTable;
    private String entityMainTable;
    private String eavDataTable;
    private int minRecords;
    private long maxAgeMs;
    private int batchSize;
    private String pgHost;
    private int pgPort;
    private String pgUser;
    private String pgPassword;
    private String pgDb;
    private boolean pgUseIam;
    private String pgSslMode;
    private String duckDbPath;
    private int duckThreads;
    private String duckMemLimit;
    private Duration queryTimeout;
    private String parquetCompression;
    private int parquetCompressionLevel;
    private int estimatedRowBytes;
    private long maxBatchBytes;
    private int targetFileSizeMb;
    private int maxBatchSize;
    private String s3Bucket;
    private String s3Prefix;
    private String s3Endpoint;
    private String s3Region;
    private boolean s3UseSsl;
    private boolean s3UsePath;
    private String manifestPrefix;
    private String manifestTemplate;
    private ManifestForm manifestForm;
    private boolean singleWriterStore;
    private String spillDirectory;
    private Transport transport;
    private String duckExtensionDirectory;

    CdcConfigBuilder(CdcConfig from) {
        this.changeLogTable = from.changeLogTable();
        this.entityMainTable = from.entityMainTable();
        this.eavDataTable = from.eavDataTable();
        this.minRecords = from.minRecords();
        this.maxAgeMs = from.maxAgeMs();
        this.batchSize = from.batchSize();
        this.pgHost = from.pgHost();
        this.pgPort = from.pgPort();
        this.pgUser = from.pgUser();
        this.pgPassword = from.pgPassword();
        this.pgDb = from.pgDb();
        this.pgUseIam = from.pgUseIam();
        this.pgSslMode = from.pgSslMode();
        this.duckDbPath = from.duckDbPath();
        this.duckThreads = from.duckThreads();
        this.duckMemLimit = from.duckMemLimit();
        this.queryTimeout = from.queryTimeout();
        this.parquetCompression = from.parquetCompression();
        this.parquetCompressionLevel = from.parquetCompressionLevel();
        this.estimatedRowBytes = from.estimatedRowBytes();
        this.maxBatchBytes = from.maxBatchBytes();
        this.targetFileSizeMb = from.targetFileSizeMb();
        this.maxBatchSize = from.maxBatchSize();
        this.s3Bucket = from.s3Bucket();
        this.s3Prefix = from.s3Prefix();
        this.s3Endpoint = from.s3Endpoint();
        this.s3Region = from.s3Region();
        this.s3UseSsl = from.s3UseSsl();
        this.s3UsePath = from.s3UsePath();
        this.manifestPrefix = from.manifestPrefix();
        this.manifestTemplate = from.manifestTemplate();
        this.manifestForm = from.manifestForm();
        this.singleWriterStore = from.singleWriterStore();
        this.spillDirectory = from.spillDirectory();
        this.transport = from.transport();
        this.duckExtensionDirectory = from.duckExtensionDirectory();
    }

    public CdcConfigBuilder changeLogTable(String changeLogTable) {
        this.changeLogTable = changeLogTable;
        return this;
    }

    public CdcConfigBuilder entityMainTable(String entityMainTable) {
        this.entityMainTable = entityMainTable;
        return this;
    }

    public CdcConfigBuilder eavDataTable(String eavDataTable) {
        this.eavDataTable = eavDataTable;
        return this;
    }

    public CdcConfigBuilder minRecords(int minRecords) {
        this.minRecords = minRecords;
        return this;
    }

    public CdcConfigBuilder maxAgeMs(long maxAgeMs) {
        this.maxAgeMs = maxAgeMs;
        return this;
    }

    public CdcConfigBuilder batchSize(int batchSize) {
        this.batchSize = batchSize;
        return this;
    }

    public CdcConfigBuilder pgHost(String pgHost) {
        this.pgHost = pgHost;
        return this;
    }

    public CdcConfigBuilder pgPort(int pgPort) {
        this.pgPort = pgPort;
        return this;
    }

    public CdcConfigBuilder pgUser(String pgUser) {
        this.pgUser = pgUser;
        return this;
    }

    public CdcConfigBuilder pgPassword(String pgPassword) {
        this.pgPassword = pgPassword;
        return this;
    }

    public CdcConfigBuilder pgDb(String pgDb) {
        this.pgDb = pgDb;
        return this;
    }

    public CdcConfigBuilder pgUseIam(boolean pgUseIam) {
        this.pgUseIam = pgUseIam;
        return this;
    }

    public CdcConfigBuilder pgSslMode(String pgSslMode) {
        this.pgSslMode = pgSslMode;
        return this;
    }

    public CdcConfigBuilder duckDbPath(String duckDbPath) {
        this.duckDbPath = duckDbPath;
        return this;
    }

    public CdcConfigBuilder duckThreads(int duckThreads) {
        this.duckThreads = duckThreads;
        return this;
    }

    public CdcConfigBuilder duckMemLimit(String duckMemLimit) {
        this.duckMemLimit = duckMemLimit;
        return this;
    }

    public CdcConfigBuilder queryTimeout(Duration queryTimeout) {
        this.queryTimeout = queryTimeout;
        return this;
    }

    public CdcConfigBuilder parquetCompression(String parquetCompression) {
        this.parquetCompression = parquetCompression;
        return this;
    }

    public CdcConfigBuilder parquetCompressionLevel(int parquetCompressionLevel) {
        this.parquetCompressionLevel = parquetCompressionLevel;
        return this;
    }

    public CdcConfigBuilder estimatedRowBytes(int estimatedRowBytes) {
        this.estimatedRowBytes = estimatedRowBytes;
        return this;
    }

    public CdcConfigBuilder maxBatchBytes(long maxBatchBytes) {
        this.maxBatchBytes = maxBatchBytes;
        return this;
    }

    public CdcConfigBuilder targetFileSizeMb(int targetFileSizeMb) {
        this.targetFileSizeMb = targetFileSizeMb;
        return this;
    }

    public CdcConfigBuilder maxBatchSize(int maxBatchSize) {
        this.maxBatchSize = maxBatchSize;
        return this;
    }

    public CdcConfigBuilder s3Bucket(String s3Bucket) {
        this.s3Bucket = s3Bucket;
        return this;
    }

    public CdcConfigBuilder s3Prefix(String s3Prefix) {
        this.s3Prefix = s3Prefix;
        return this;
    }

    public CdcConfigBuilder s3Endpoint(String s3Endpoint) {
        this.s3Endpoint = s3Endpoint;
        return this;
    }

    public CdcConfigBuilder s3Region(String s3Region) {
        this.s3Region = s3Region;
        return this;
    }

    public CdcConfigBuilder s3UseSsl(boolean s3UseSsl) {
        this.s3UseSsl = s3UseSsl;
        return this;
    }

    public CdcConfigBuilder s3UsePath(boolean s3UsePath) {
        this.s3UsePath = s3UsePath;
        return this;
    }

    public CdcConfigBuilder manifestPrefix(String manifestPrefix) {
        this.manifestPrefix = manifestPrefix;
        return this;
    }

    public CdcConfigBuilder manifestTemplate(String manifestTemplate) {
        this.manifestTemplate = manifestTemplate;
        return this;
    }

    public CdcConfigBuilder manifestForm(ManifestForm manifestForm) {
        this.manifestForm = manifestForm;
        return this;
    }

    public CdcConfigBuilder singleWriterStore(boolean singleWriterStore) {
        this.singleWriterStore = singleWriterStore;
        return this;
    }

    public CdcConfigBuilder spillDirectory(String spillDirectory) {
        this.spillDirectory = spillDirectory;
        return this;
    }

    public CdcConfigBuilder transport(Transport transport) {
        this.transport = transport;
        return this;
    }

    public CdcConfigBuilder duckExtensionDirectory(String duckExtensionDirectory) {
        this.duckExtensionDirectory = duckExtensionDirectory;
        return this;
    }

    /**
     * Returns what was set.
     *
     * @throws NullPointerException if anything is null: what is not set is zero or empty
     */
    public CdcConfig build() {
        return new CdcConfig(
                changeLogTable,
                entityMainTable,
                eavDataTable,
                minRecords,
                maxAgeMs,
                batchSize,
                pgHost,
                pgPort,
                pgUser,
                pgPassword,
                pgDb,
                pgUseIam,
                pgSslMode,
                duckDbPath,
                duckThreads,
                duckMemLimit,
                queryTimeout,
                parquetCompression,
                parquetCompressionLevel,
                estimatedRowBytes,
                maxBatchBytes,
                targetFileSizeMb,
                maxBatchSize,
                s3Bucket,
                s3Prefix,
                s3Endpoint,
                s3Region,
                s3UseSsl,
                s3UsePath,
                manifestPrefix,
                manifestTemplate,
                manifestForm,
                singleWriterStore,
                spillDirectory,
                transport,
                duckExtensionDirectory);
    }
}
