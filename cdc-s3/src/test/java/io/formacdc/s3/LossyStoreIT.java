package io.formacdc.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStoreContract;
import io.formacdc.examples.localstack.LocalS3;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.s3.S3Client;

/** The contract's race is one that a careless store loses: it passes nowhere by luck. */
class LossyStoreIT {
    private static final int INCREMENTS = 20;

    @Test
    void aStoreThatChecksOutsideTheLockLosesUpdates() throws Exception {
        try (LocalS3 server = LocalS3.startLossy();
                S3Client client = TestStore.client(server, server.secretKey())) {
            ObjectStore store = new S3ObjectStore(S3FullClient.of(client), server.bucket());
            store.putIfAbsent("counter", "0".getBytes(UTF_8));
            int acknowledged = 0;
            int found = 0;
            for (int round = 0; round < 50 && found == acknowledged; round++) {
                acknowledged += ObjectStoreContract.runTogether(() -> {
                    int wins = 0;
                    for (int i = 0; i < INCREMENTS; i++) {
                        wins += ObjectStoreContract.incremented(store, "counter") ? 1 : 0;
                    }
                    return wins;
                });
                found = Integer.parseInt(new String(store.get("counter").content(), UTF_8));
            }
            assertThat(found).isLessThan(acknowledged);
        }
    }
}
