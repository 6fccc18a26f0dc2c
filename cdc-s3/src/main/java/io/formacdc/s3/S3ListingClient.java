package io.formacdc.s3;

import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;

/** Adds what the orphan sweep wants. A client without it loses the features that list, and nothing else. */
public interface S3ListingClient extends S3FullClient {
    HeadObjectResponse headObject(HeadObjectRequest request);

    /** Returns one page; keys are decoded if the request asked for an encoding. */
    ListObjectsV2Response listObjectsV2(ListObjectsV2Request request);
}
