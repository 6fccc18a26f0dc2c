package io.formacdc.examples.localstack;

import java.net.URI;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.postgresql.PostgreSQLContainer;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A PostgreSQL and a MinIO in containers, of the images that the profile names. Removed when the JVM has ended. */
public final class Containers implements ServerSource {
    private static final String USER = "postgres";
    private static final String BUCKET = "cdc-local";

    private @Nullable String postgresUrl;
    private @Nullable Store store;

    @Override
    public synchronized String postgresUrl() {
        if (postgresUrl == null) {
            postgresUrl = startPostgres();
        }
        return postgresUrl;
    }

    @Override
    public synchronized Store store() {
        if (store == null) {
            store = startMinio();
        }
        return store;
    }

    /** As quick, and as small, as the server that runs without containers. */
    private static String startPostgres() {
        String password = UUID.randomUUID().toString();
        PostgreSQLContainer postgres = new PostgreSQLContainer(image("cdc.test.postgres.image"))
                .withUsername(USER)
                .withPassword(password)
                .withDatabaseName(USER)
                .withEnv("POSTGRES_INITDB_ARGS", "--locale=C --encoding=UTF8")
                .withCommand("postgres -c fsync=off -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=2GB");
        postgres.start();
        return "jdbc:postgresql://" + postgres.getHost() + ":"
                + postgres.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT) + "/" + USER + "?user=" + USER
                + "&password=" + password;
    }

    private static Store startMinio() {
        String password = UUID.randomUUID().toString();
        MinIOContainer minio = new MinIOContainer(image("cdc.test.minio.image"))
                .withUserName("cdc-local")
                .withPassword(password);
        minio.start();
        Store store = new Store(URI.create(minio.getS3URL()), minio.getUserName(), password, BUCKET);
        try (S3Client client = S3Client.builder()
                .endpointOverride(store.endpoint())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(store.accessKey(), store.secretKey())))
                .httpClientBuilder(Apache5HttpClient.builder())
                .build()) {
            client.createBucket(request -> request.bucket(BUCKET));
        }
        return store;
    }

    private static String image(String property) {
        String image = System.getProperty(property);
        if (image == null) {
            throw new IllegalStateException(property + " is not set: run the tests by the Maven profile containers");
        }
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IllegalStateException("no Docker answers here, and the Maven profile containers needs one: leave the"
                    + " profile out, and the tests start servers of their own; or name servers by "
                    + LocalPostgres.URL_VARIABLE + " and " + LocalS3.ENDPOINT_VARIABLE);
        }
        return image;
    }
}
