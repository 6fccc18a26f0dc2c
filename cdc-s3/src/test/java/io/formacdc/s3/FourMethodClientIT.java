package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreContract;
import io.formacdc.core.ObjectStoreException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;

/** A host's own client, which can do what Go's interface asks and no more. */
class FourMethodClientIT extends ObjectStoreContract {
    private static TestStore server;

    @BeforeAll
    static void start() {
        server = TestStore.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    protected ObjectStore store() {
        return server.store(new FourMethodClient(server.client()));
    }

    @Override
    protected ObjectStore storeWithoutBucket() {
        return new S3ObjectStore(new FourMethodClient(server.client()), "no-such-bucket-of-cdc");
    }

    @Test
    void listingNamesTheInterfaceToImplement() {
        assertThatThrownBy(() -> store().list(key("a")))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("io.formacdc.s3.S3ListingClient");
    }

    private record FourMethodClient(S3Client client) implements S3FullClient {
        @Override
        public CopyObjectResponse copyObject(CopyObjectRequest request) {
            return client.copyObject(request);
        }

        @Override
        public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
            return client.deleteObject(request);
        }

        @Override
        public ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request) {
            return client.getObject(request);
        }

        @Override
        public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
            return client.putObject(request, body);
        }
    }
}
