package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.ListingObjectStoreContract;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;

class S3ObjectStoreIT extends ListingObjectStoreContract {
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
        return server.store();
    }

    @Override
    protected ObjectStore storeWithoutBucket() {
        return new S3ObjectStore(S3FullClient.of(server.client()), "no-such-bucket-of-cdc");
    }

    @Test
    void aWrongSecretIsDeniedWithoutBeingTold() {
        String secret = "do-not-tell-anyone";
        try (S3Client client = TestStore.client(server.server(), secret)) {
            Throwable thrown =
                    catchThrowable(() -> server.store(S3FullClient.of(client)).get(key("a")));
            assertThat(thrown)
                    .isExactlyInstanceOf(ObjectStoreException.class)
                    .hasMessageContaining("access denied")
                    .hasMessageContaining("HTTP 403")
                    .hasMessageContaining(key("a"));
            StringWriter everything = new StringWriter();
            thrown.printStackTrace(new PrintWriter(everything));
            assertThat(everything.toString()).doesNotContain(secret);
        }
    }

    @Test
    void aDeniedHeadIsNoMissingKey() {
        try (S3Client client = TestStore.client(server.server(), "guessed")) {
            assertThat(catchThrowable(
                            () -> server.store(S3FullClient.of(client)).head(key("a"))))
                    .isExactlyInstanceOf(ObjectStoreException.class)
                    .hasMessageContaining("access denied");
        }
    }
}
