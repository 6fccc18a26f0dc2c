package io.formacdc.s3;

import static io.formacdc.s3.StubClient.body;
import static io.formacdc.s3.StubClient.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.ObjectStoreException;
import io.formacdc.core.PreconditionFailedException;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyObjectResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;

class S3ObjectStoreTest {
    @ParameterizedTest
    @CsvSource({
        "404, NoSuchBucket, missing bucket",
        "404, NoSuchUpload, not found",
        "403, AccessDenied, access denied",
        "403, SignatureDoesNotMatch, access denied",
        "503, SlowDown, refused",
        "412, PreconditionFailed, precondition failed"
    })
    void anAnswerOtherThanNoSuchKeyIsAFailureThatSaysEverything(int status, String code, String meaning) {
        assertThatThrownBy(() -> gettingFails(refusal(status, code)).get("a/b"))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessage("getObject s3://bucket/a/b failed: " + meaning + " (HTTP " + status + " " + code
                        + ", request id request-1)");
    }

    @Test
    void noSuchKeyIsNotFoundByCodeAndByType() {
        assertThatThrownBy(() -> gettingFails(refusal(404, "NoSuchKey")).get("a"))
                .isInstanceOf(ObjectNotFoundException.class);
        assertThatThrownBy(() -> gettingFails(
                                NoSuchKeyException.builder().statusCode(404).build())
                        .get("a"))
                .isInstanceOf(ObjectNotFoundException.class);
    }

    @Test
    void aClientThatOnlyCopiesAndDeletesSaysWhatItLacks() {
        S3ObjectStore store = new S3ObjectStore(new CopyAndDelete(), "bucket");
        for (ThrowingCallable request : List.<ThrowingCallable>of(
                () -> store.get("a/b"), () -> store.head("a/b"), () -> store.putIfAbsent("a/b", new byte[1]))) {
            assertThatThrownBy(request)
                    .isInstanceOf(ObjectStoreException.class)
                    .hasMessageContaining("Object s3://bucket/a/b failed: the injected client can but copy and delete")
                    .hasMessageEndingWith("implement io.formacdc.s3.S3FullClient");
        }
        store.delete("a/b");
    }

    private static final class CopyAndDelete implements S3ObjectClient {
        @Override
        public CopyObjectResponse copyObject(CopyObjectRequest request) {
            return CopyObjectResponse.builder().build();
        }

        @Override
        public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
            return DeleteObjectResponse.builder().build();
        }
    }

    @Test
    void aHeadThatSdkCallsNoSuchKeyIsSettledByAGet() {
        S3ObjectStore store = store(new StubClient() {
            @Override
            public HeadObjectResponse headObject(HeadObjectRequest request) {
                throw NoSuchKeyException.builder().statusCode(404).build();
            }

            @Override
            public ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request) {
                throw refusal(404, request.key().equals("a") ? "NoSuchKey" : "NoSuchBucket");
            }
        });
        assertThatThrownBy(() -> store.head("a")).isInstanceOf(ObjectNotFoundException.class);
        assertThatThrownBy(() -> store.head("b"))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("missing bucket");
    }

    @ParameterizedTest
    @CsvSource({"412, PreconditionFailed", "409, ConditionalRequestConflict"})
    void aRefusedConditionIsALostOne(int status, String code) {
        S3ObjectStore store = puttingFails(refusal(status, code));
        assertThatThrownBy(() -> store.putIfAbsent("a", new byte[1])).isInstanceOf(PreconditionFailedException.class);
        assertThatThrownBy(() -> store.putIfMatch("a", new byte[1], "\"e\""))
                .isInstanceOf(PreconditionFailedException.class);
    }

    @Test
    void onlyTheAbsenceOfTheKeyIsALostCondition() {
        assertThatThrownBy(() -> puttingFails(refusal(404, "NoSuchKey")).putIfMatch("a", new byte[1], "\"e\""))
                .isInstanceOf(PreconditionFailedException.class);
        assertThatThrownBy(() -> puttingFails(refusal(404, "NoSuchBucket")).putIfMatch("a", new byte[1], "\"e\""))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("missing bucket");
        assertThatThrownBy(() -> puttingFails(refusal(500, "InternalError")).putIfMatch("a", new byte[1], "\"e\""))
                .isExactlyInstanceOf(ObjectStoreException.class);
    }

    @Test
    void anEtagIsHandedBackExactlyAsReceived() {
        AtomicReference<@Nullable String> sent = new AtomicReference<>();
        S3ObjectStore store = store(new StubClient() {
            @Override
            public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
                sent.set(request.ifMatch());
                return PutObjectResponse.builder().eTag("W/\"odd\"-2").build();
            }
        });
        String etag = store.putIfAbsent("a", new byte[1]);
        assertThat(etag).isEqualTo("W/\"odd\"-2");
        store.putIfMatch("a", new byte[1], etag);
        assertThat(sent).hasValue("W/\"odd\"-2");
    }

    @Test
    void anAbortedRequestIsAnInterruptAndKeepsTheFlag() {
        Throwable thrown = catchThrowable(
                () -> puttingFails(AbortedException.create("stopped")).putIfAbsent("a", new byte[1]));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown).isInstanceOf(CdcInterruptedException.class);
    }

    @Test
    void noAnswerIsAFailureThatSaysWhy() {
        Throwable thrown = catchThrowable(() ->
                puttingFails(SdkClientException.create("connection reset")).putIfAbsent("a", new byte[1]));
        assertThat(Thread.interrupted()).isFalse();
        assertThat(thrown)
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessage("putObject s3://bucket/a failed without an answer: connection reset");
    }

    @Test
    void halfAnObjectIsAFailure() {
        S3ObjectStore store = store(new StubClient() {
            @Override
            public ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request) {
                return body(
                        GetObjectResponse.builder()
                                .eTag("\"e\"")
                                .contentLength(10L)
                                .build(),
                        new byte[9]);
            }
        });
        assertThatThrownBy(() -> store.get("a"))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("9 of 10 bytes");
    }

    @Test
    void anAnswerWithoutAnEtagIsAFailure() {
        S3ObjectStore store = store(new StubClient() {
            @Override
            public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
                return PutObjectResponse.builder().build();
            }
        });
        assertThatThrownBy(() -> store.putIfAbsent("a", new byte[1]))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("etag");
    }

    @Test
    void aStoreThatMissesWhatItShouldDeleteHasDeletedIt() {
        S3ObjectStore store = store(new StubClient() {
            @Override
            public DeleteObjectResponse deleteObject(DeleteObjectRequest request) {
                throw refusal(404, request.key().equals("a") ? "NoSuchKey" : "NoSuchBucket");
            }
        });
        store.delete("a");
        assertThatThrownBy(() -> store.delete("b")).hasMessageContaining("missing bucket");
    }

    @Test
    void aHostThatNobodyKnowsIsNamedWithTheFieldsToCheck() {
        for (String text : List.of("lake.store.invalid: Name or service not known", "lake.store.invalid")) {
            SdkClientException failure = SdkClientException.create(
                    "Received an UnknownHostException. See cause", new UnknownHostException(text));
            assertThatThrownBy(() -> gettingFails(failure).get("a"))
                    .isExactlyInstanceOf(ObjectStoreException.class)
                    .hasMessage("getObject s3://bucket/a failed without an answer: there is no host lake.store.invalid;"
                            + " check s3Endpoint, s3Region and s3UsePath, or those of the host's own client");
        }
    }

    @Test
    void aListingFollowsTheTokensPageByPage() {
        List<@Nullable String> asked = new ArrayList<>();
        S3ObjectStore store = listing(request -> {
            asked.add(request.continuationToken());
            return request.continuationToken() == null ? page("t1", "a", "b") : page(null, "c");
        });
        assertThat(store.list("").limit(2).map(ObjectInfo::key)).containsExactly("a", "b");
        assertThat(asked).as("a page that nobody wants is not asked for").hasSize(1);
        assertThat(store.list("").map(ObjectInfo::key)).containsExactly("a", "b", "c");
        assertThat(asked).containsExactly(null, null, "t1");
    }

    @Test
    void aTruncatedPageWithoutATokenIsNotDelivered() {
        S3ObjectStore store = listing(request -> request.continuationToken() == null
                ? page("t1", "a")
                : page(null, "b").toBuilder().isTruncated(true).build());
        List<String> delivered = new ArrayList<>();
        assertThatThrownBy(() -> store.list("").map(ObjectInfo::key).forEach(delivered::add))
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("no token");
        assertThat(delivered).containsExactly("a");
    }

    @Test
    void aTokenThatLeadsNowhereEndsTheListingInAFailure() {
        S3ObjectStore store = listing(request -> page("same", "a"));
        assertThatThrownBy(() -> store.list("").toList()).isExactlyInstanceOf(ObjectStoreException.class);
    }

    @Test
    void aPageThatCannotBeReadFailsTheListing() {
        S3ObjectStore store = listing(request -> {
            if (request.continuationToken() == null) {
                return page("t1", "a");
            }
            throw refusal(500, "InternalError");
        });
        assertThatThrownBy(() -> store.list("").toList())
                .isExactlyInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("HTTP 500");
    }

    /** A server may list what it is writing, as s3proxy does on a file system, with a name of its own and no etag. */
    @Test
    void anObjectListedWithoutAnEtagHidesNoOther() {
        S3ObjectStore store = listing(request -> page(null, "a", "b", "c").toBuilder()
                .contents(object("a", "\"e\""), object("b", null), object("c", ""))
                .build());
        assertThat(store.list("").map(ObjectInfo::etag)).containsExactly("\"e\"", null, null);
    }

    private interface Pages {
        ListObjectsV2Response page(ListObjectsV2Request request);
    }

    private static S3ObjectStore store(S3FullClient client) {
        return new S3ObjectStore(client, "bucket");
    }

    private static S3ObjectStore gettingFails(RuntimeException failure) {
        return store(new StubClient() {
            @Override
            public ResponseInputStream<GetObjectResponse> getObject(GetObjectRequest request) {
                throw failure;
            }
        });
    }

    private static S3ObjectStore puttingFails(RuntimeException failure) {
        return store(new StubClient() {
            @Override
            public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
                throw failure;
            }
        });
    }

    private static S3ObjectStore listing(Pages pages) {
        return store(new StubClient() {
            @Override
            public ListObjectsV2Response listObjectsV2(ListObjectsV2Request request) {
                return pages.page(request);
            }
        });
    }

    private static ListObjectsV2Response page(@Nullable String nextToken, String... keys) {
        List<S3Object> objects =
                List.of(keys).stream().map(key -> object(key, "\"e\"")).toList();
        return ListObjectsV2Response.builder()
                .contents(objects)
                .isTruncated(nextToken != null)
                .nextContinuationToken(nextToken)
                .build();
    }

    private static S3Object object(String key, @Nullable String etag) {
        return S3Object.builder()
                .key(key)
                .size(1L)
                .eTag(etag)
                .lastModified(Instant.EPOCH)
                .build();
    }
}
