package io.formacdc.s3;

import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;

/** Adds reading and writing, for files and manifests. A client that can also list is an {@link S3ListingClient}. */
public interface S3FullClient extends S3ObjectClient {
    /** Returns the open content, which the caller closes. */
    ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request);

    /** Must honour {@code ifMatch} and {@code ifNoneMatch} of the request. */
    PutObjectResponse putObject(PutObjectRequest request, RequestBody body);

    /** Adapts an SDK client, which stays the caller's to close. The result is also an {@link S3ListingClient}. */
    static S3FullClient of(S3Client client) {
        return new SdkClient(client);
    }
}
