package io.formacdc.s3;

import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

/** What an exception of an S3 client means. The store's own text stays in the cause: only codes are repeated here. */
final class S3Failure {
    private S3Failure() {}

    /**
     * The exception to throw.
     *
     * @param request what was asked, of which object, as in {@code getObject s3://bucket/key}
     */
    static CdcException of(String request, Throwable failure) {
        if (failure instanceof CdcException known) {
            return known;
        }
        if (failure instanceof SdkServiceException refused) {
            String message = message(request, refused);
            return isNoSuchKey(refused)
                    ? new ObjectNotFoundException(message, failure)
                    : new ObjectStoreException(message, failure);
        }
        if (Thread.currentThread().isInterrupted() || comesFromInterrupt(failure)) {
            Thread.currentThread().interrupt();
            return new CdcInterruptedException(request + " was interrupted; it may have taken effect", failure);
        }
        if (isWithoutCredentials(failure)) {
            return new ObjectStoreException(
                    request + " was not sent: there are no AWS credentials; set AWS_ACCESS_KEY_ID and"
                            + " AWS_SECRET_ACCESS_KEY, name another source of the AWS default chain, or inject a client",
                    failure);
        }
        String unknownHost = unknownHost(failure);
        String reason = unknownHost == null
                ? String.valueOf(failure.getMessage())
                : "there is no host " + unknownHost
                        + "; check s3Endpoint, s3Region and s3UsePath, or those of the host's" + " own client";
        return new ObjectStoreException(request + " failed without an answer: " + reason, failure);
    }

    /** The SDK has no type for it, and a message that names all that it has tried. */
    private static boolean isWithoutCredentials(Throwable failure) {
        return failure instanceof SdkClientException
                && String.valueOf(failure.getMessage()).startsWith("Unable to load credentials");
    }

    private static @Nullable String unknownHost(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownHostException) {
                // "host: Name or service not known", or the host alone.
                return String.valueOf(cause.getMessage()).split(": ", 2)[0];
            }
        }
        return null;
    }

    /**
     * The same for a conditional write, which loses by a 412, or by a 409 when two are at work at once.
     *
     * @param replaces whether an object must be there; then its absence loses too
     */
    static CdcException ofConditional(String request, boolean replaces, Throwable failure) {
        boolean lost = failure instanceof SdkServiceException refused
                && (refused.statusCode() == 412 || refused.statusCode() == 409 || (replaces && isNoSuchKey(refused)));
        return lost
                ? new PreconditionFailedException(message(request, (SdkServiceException) failure), failure)
                : of(request, failure);
    }

    /** The store looked at the key, and nothing is there. */
    static boolean isNoSuchKey(Throwable failure) {
        String code = errorCode(failure);
        return code == null ? failure instanceof NoSuchKeyException : code.equals("NoSuchKey");
    }

    /** A 404, to a HEAD without a body that would say of what. */
    static boolean isSomethingMissing(Throwable failure) {
        return failure instanceof SdkServiceException refused && refused.statusCode() == 404;
    }

    private static String meaning(SdkServiceException refused) {
        return switch (refused.statusCode()) {
            case 401, 403 -> "access denied";
            case 404 -> "NoSuchBucket".equals(errorCode(refused)) ? "missing bucket" : "not found";
            case 409 -> "conflict";
            case 412 -> "precondition failed";
            default -> "refused";
        };
    }

    private static String message(String request, SdkServiceException refused) {
        String code = errorCode(refused);
        String requestId = refused.requestId();
        return request + " failed: " + meaning(refused) + " (HTTP " + refused.statusCode()
                + (code == null ? "" : " " + code) + (requestId == null ? "" : ", request id " + requestId) + ")";
    }

    private static @Nullable String errorCode(Throwable failure) {
        AwsErrorDetails details = failure instanceof AwsServiceException refused ? refused.awsErrorDetails() : null;
        return details == null ? null : details.errorCode();
    }

    private static boolean comesFromInterrupt(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof AbortedException
                    || cause instanceof InterruptedException
                    || cause instanceof ClosedByInterruptException) {
                return true;
            }
        }
        return false;
    }
}
