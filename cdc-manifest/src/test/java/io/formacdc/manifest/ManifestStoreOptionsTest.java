package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.ManifestForm;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ManifestStoreOptionsTest {
    @Test
    void aCompactionSavesWithItsOwnRetriesAndPauses() {
        CdcConfig config =
                CdcConfig.builder().manifestForm(ManifestForm.FILES).build().withDefaults();
        CompactionConfig compaction = CompactionConfig.builder()
                .maxRetries(7)
                .baseBackoff(Duration.ofMillis(3))
                .maxBackoff(Duration.ofMillis(9))
                .build()
                .withDefaults();

        ManifestStoreOptions options = ManifestStoreOptions.of(config, compaction);

        assertThat(options.maxRetries()).isEqualTo(7);
        assertThat(options.baseBackoff()).isEqualTo(Duration.ofMillis(3));
        assertThat(options.maxBackoff()).isEqualTo(Duration.ofMillis(9));
        assertThat(options.newForm()).isEqualTo(ManifestForm.FILES);
    }
}
