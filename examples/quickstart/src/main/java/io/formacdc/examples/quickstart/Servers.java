package io.formacdc.examples.quickstart;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.UuidV7;
import io.formacdc.examples.localstack.CtrlC;
import io.formacdc.examples.localstack.LocalPostgres;
import io.formacdc.examples.localstack.LocalS3;
import io.formacdc.s3.S3Clients;
import java.sql.Connection;
import java.sql.SQLException;
import software.amazon.awssdk.services.s3.S3Client;

/** A PostgreSQL and an S3 server of our own, or those that environment variables name. */
final class Servers implements AutoCloseable {
    private final LocalPostgres postgres;
    private final LocalS3 s3;
    private final CdcConfig flushConfig;

    private Servers(LocalPostgres postgres, LocalS3 s3, Settings settings) {
        this.postgres = postgres;
        this.s3 = s3;
        String password = settings.pgPassword().orElse(postgres.password());
        String bucket = settings.bucket().orElse(s3.bucket());
        String folder = "quickstart-" + UuidV7.next();
        this.flushConfig = CdcConfig.builder()
                .pgHost(postgres.host())
                .pgPort(postgres.port())
                .pgUser(postgres.user())
                .pgPassword(password)
                .pgDb(postgres.database())
                .pgSslMode("prefer")
                .minRecords(1)
                .batchSize(50_000)
                .targetFileSizeMb(2)
                .s3Endpoint(s3.endpoint().toString())
                .s3UsePath(true)
                .s3Bucket(bucket)
                .s3Prefix(folder + "/data")
                .manifestPrefix(folder)
                .build();
    }

    static Servers start(Settings settings, Screen screen, CtrlC ctrlC) throws SQLException {
        screen.begin();
        LocalPostgres postgres = ctrlC.undisturbed(LocalPostgres::start);
        try {
            LocalS3 s3 = ctrlC.undisturbed(LocalS3::startOrExternal);
            Servers servers = new Servers(postgres, s3, settings);
            screen.done("PostgreSQL %s at port %d, S3 at %s", servers.version(), postgres.port(), s3.endpoint());
            return servers;
        } catch (SQLException | RuntimeException e) {
            postgres.close();
            throw e;
        }
    }

    /** How the library reaches both; it flushes whatever is dirty. */
    CdcConfig flushConfig() {
        return flushConfig;
    }

    /** A new client, which the caller closes. */
    S3Client s3Client() {
        return S3Clients.create(flushConfig, s3.accessKey(), s3.secretKey());
    }

    private String version() throws SQLException {
        try (Connection connection = connect()) {
            return connection.getMetaData().getDatabaseProductVersion();
        }
    }

    /** A connection for the writers' side. */
    Connection connect() throws SQLException {
        return postgres.dataSource().getConnection();
    }

    /** Stops what was started, and drops the database that was created on a server of others. */
    @Override
    public void close() {
        s3.close();
        postgres.close();
    }
}
