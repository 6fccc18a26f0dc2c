package io.formacdc.s3;

import io.formacdc.core.CdcException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;

/** The promotion of a staged object. */
public final class S3Objects {
    private static final Logger log = LoggerFactory.getLogger(S3Objects.class);

    private S3Objects() {}

    /**
     * Go's {@code CopyTmpToFinal}: copies an object to its final key and deletes the staged one. Whatever is at the final
     * key is replaced.
     *
     * <p>When this returns, the final object is in its place; a staged object that could not be deleted is left, with a
     * warning in the log. When the copy fails, the staged object is deleted as far as that is possible (a failure of
     * that is suppressed in what is thrown) and nothing is known of the final key. A staged object is gone after either,
     * so a retry needs a new one. At most 5 GiB on AWS.
     *
     * @throws IllegalArgumentException if both keys are one
     * @throws io.formacdc.core.ObjectNotFoundException if there is no staged object
     * @throws io.formacdc.core.ObjectStoreException if the copy failed for another reason
     * @throws io.formacdc.core.CdcInterruptedException if the thread was interrupted during the copy
     */
    public static void copyTmpToFinal(S3ObjectClient client, String bucket, String tmpKey, String finalKey) {
        if (tmpKey.equals(finalKey)) {
            throw new IllegalArgumentException("staged and final key are both \"" + tmpKey + "\"");
        }
        try {
            copy(client, bucket, tmpKey, finalKey);
        } catch (RuntimeException e) {
            CdcException failure = S3Failure.of(describeCopy(bucket, tmpKey, finalKey), e);
            try {
                delete(client, bucket, tmpKey);
            } catch (RuntimeException cleanup) {
                failure.addSuppressed(cleanup);
            }
            throw failure;
        }
        try {
            delete(client, bucket, tmpKey);
        } catch (RuntimeException e) {
            log.warn("promoted s3://{}/{} but could not delete the staged {}", bucket, finalKey, tmpKey, e);
        }
    }

    static void copy(S3ObjectClient client, String bucket, String sourceKey, String targetKey) {
        client.copyObject(CopyObjectRequest.builder()
                .sourceBucket(bucket)
                .sourceKey(sourceKey)
                .destinationBucket(bucket)
                .destinationKey(targetKey)
                .build());
    }

    static void delete(S3ObjectClient client, String bucket, String key) {
        client.deleteObject(
                DeleteObjectRequest.builder().bucket(bucket).key(key).build());
    }

    static String describeCopy(String bucket, String sourceKey, String targetKey) {
        return "copyObject s3://" + bucket + "/" + sourceKey + " to " + targetKey;
    }
}
