package io.formacdc.s3;

import static io.formacdc.s3.StubClient.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStoreException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;

class S3ObjectsTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger(S3Objects.class);
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

    @BeforeEach
    void listen() {
        logged.start();
        logger.addAppender(logged);
        logger.setAdditive(false);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(logged);
        logger.setAdditive(true);
    }

    @Test
    void aPromotionCopiesAndThenDeletes() {
        TwoMethodClient client = new TwoMethodClient(null, null);
        S3Objects.copyTmpToFinal(client, "bucket", "lake/7/_tmp/x y.parquet", "lake/7/x y.parquet");
        assertThat(client.calls)
                .containsExactly(
                        "copy bucket/lake/7/_tmp/x y.parquet to bucket/lake/7/x y.parquet",
                        "delete bucket/lake/7/_tmp/x y.parquet");
        assertThat(logged.list).isEmpty();
    }

    @Test
    void copyFailureDeletesTheStagedObject() {
        TwoMethodClient client = new TwoMethodClient(refusal(500, "InternalError"), null);
        assertThatThrownBy(() -> S3Objects.copyTmpToFinal(client, "bucket", "tmp", "final"))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("s3://bucket/tmp to final")
                .hasMessageContaining("HTTP 500")
                .hasNoSuppressedExceptions();
        assertThat(client.calls).containsExactly("copy bucket/tmp to bucket/final", "delete bucket/tmp");
    }

    @Test
    void cleanupFailureDoesNotMaskTheCopyFailure() {
        RuntimeException cleanup = refusal(403, "AccessDenied");
        TwoMethodClient client = new TwoMethodClient(refusal(404, "NoSuchKey"), cleanup);
        Throwable thrown = catchThrowable(() -> S3Objects.copyTmpToFinal(client, "bucket", "tmp", "final"));
        assertThat(thrown).isInstanceOf(ObjectNotFoundException.class).hasSuppressedException(cleanup);
        assertThat(logged.list).as("thrown, so not logged").isEmpty();
    }

    @Test
    void aStagedObjectThatStaysIsAWarningOnly() {
        TwoMethodClient client = new TwoMethodClient(null, refusal(403, "AccessDenied"));
        S3Objects.copyTmpToFinal(client, "bucket", "tmp", "final");
        assertThat(logged.list).singleElement().satisfies(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.WARN);
            assertThat(event.getFormattedMessage()).contains("bucket/final").contains("tmp");
        });
    }

    @Test
    void oneKeyForBothIsRefusedBeforeAnythingHappens() {
        TwoMethodClient client = new TwoMethodClient(null, null);
        assertThatThrownBy(() -> S3Objects.copyTmpToFinal(client, "bucket", "same", "same"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(client.calls).isEmpty();
    }

    private static final class TwoMethodClient implements S3ObjectClient {
        final List<String> calls = new ArrayList<>();
        private final @Nullable RuntimeException copyFailure;
        private final @Nullable RuntimeException deleteFailure;

        TwoMethodClient(@Nullable RuntimeException copyFailure, @Nullable RuntimeException deleteFailure) {
            this.copyFailure = copyFailure;
            this.deleteFailure = deleteFailure;
        }

        @Override
        public CopyObjectResponse copyObject(CopyObjectRequest request) {
            calls.add("copy " + request.sourceBucket() + "/" + request.sourceKey() + " to "
                    + request.destinationBucket() + "/" + request.destinationKey());
            if (copyFailure != null) {
                throw copyFailure;
            }
            return CopyObjectResponse.builder().build();
        }

        @Override
        public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
            calls.add("delete " + request.bucket() + "/" + request.key());
            if (deleteFailure != null) {
                throw deleteFailure;
            }
            return DeleteObjectResponse.builder().build();
        }
    }
}
