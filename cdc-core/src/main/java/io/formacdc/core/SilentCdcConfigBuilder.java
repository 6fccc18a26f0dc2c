package io.formacdc.core;

/** The generated builder, but for its text, which would show the password. */
final class SilentCdcConfigBuilder extends CdcConfigBuilder {
    SilentCdcConfigBuilder(CdcConfig from) {
        super(
                from.changeLogTable(),
                from.entityMainTable(),
                from.eavDataTable(),
                from.minRecords(),
                from.maxAgeMs(),
                from.batchSize(),
                from.pgHost(),
                from.pgPort(),
                from.pgUser(),
                from.pgPassword(),
                from.pgDb(),
                from.pgUseIam(),
                from.pgSslMode(),
                from.duckDbPath(),
                from.duckThreads(),
                from.duckMemLimit(),
                from.queryTimeout(),
                from.parquetCompression(),
                from.parquetCompressionLevel(),
                from.estimatedRowBytes(),
                from.maxBatchBytes(),
                from.targetFileSizeMb(),
                from.maxBatchSize(),
                from.s3Bucket(),
                from.s3Prefix(),
                from.s3Endpoint(),
                from.s3Region(),
                from.s3UseSsl(),
                from.s3UsePath(),
                from.manifestPrefix(),
                from.manifestTemplate(),
                from.pgSslRootCert(),
                from.manifestForm(),
                from.singleWriterStore(),
                from.spillDirectory());
    }

    @Override
    public String toString() {
        return "CdcConfigBuilder";
    }
}
