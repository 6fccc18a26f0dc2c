package io.formacdc.s3;

import io.formacdc.core.CdcConfig;
import io.formacdc.examples.localstack.LocalS3;
import software.amazon.awssdk.services.s3.S3Client;

/** An S3 server and a client of it. */
record TestStore(LocalS3 server, S3Client client) implements AutoCloseable {
    static TestStore start() {
        LocalS3 server = LocalS3.startOrExternal();
        return new TestStore(server, client(server, server.secretKey()));
    }

    static S3Client client(LocalS3 server, String secretKey) {
        CdcConfig config = CdcConfig.builder()
                .s3Endpoint(server.endpoint().toString())
                .s3Region("us-east-1")
                .s3UsePath(true)
                .build();
        return S3Clients.create(config, server.accessKey(), secretKey);
    }

    S3ObjectStore store() {
        return store(S3FullClient.of(client));
    }

    S3ObjectStore store(S3FullClient throughClient) {
        return new S3ObjectStore(throughClient, server.bucket());
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
