package io.formacdc.duckdb;

import io.formacdc.s3.S3ObjectClient;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;

/** A client with the two methods that Go's has. */
record CopyAndDelete(S3ObjectClient real) implements S3ObjectClient {
    @Override
    public CopyObjectResponse copyObject(CopyObjectRequest request) {
        return real.copyObject(request);
    }

    @Override
    public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
        return real.deleteObject(request);
    }
}
