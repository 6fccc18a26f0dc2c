package io.formacdc.s3;

import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;

/**
 * The least that a flush asks of an S3 client: copy and delete. Methods, and the exceptions they throw, are those of the
 * AWS SDK's {@code S3Client}; {@link S3FullClient#of} adapts one. Implementations are thread-safe.
 */
public interface S3ObjectClient {
    CopyObjectResponse copyObject(CopyObjectRequest request);

    DeleteObjectResponse deleteObject(DeleteObjectRequest request);
}
