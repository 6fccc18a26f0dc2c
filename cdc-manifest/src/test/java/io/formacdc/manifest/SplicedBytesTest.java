package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class SplicedBytesTest {
    private final SplicedBytes bytes = new SplicedBytes();

    @Test
    void whatIsWrittenAndWhatIsSplicedStandInTheOrderOfTheCalls() {
        bytes.splice(ByteBuffer.wrap(utf8("one ")));
        bytes.write('t');
        bytes.write(utf8("-two-"), 2, 3);
        assertThat(bytes.size()).isEqualTo(8);
        bytes.splice(ByteBuffer.wrap(utf8("(three)"), 1, 5));
        bytes.splice(ByteBuffer.wrap(utf8(" four")));
        bytes.write(utf8("."), 0, 1);

        assertThat(bytes.size()).isEqualTo(19);
        assertThat(bytes.toByteArray()).asString().isEqualTo("one two-three four.");
        assertThat(bytes.toByteArray()).hasSize(19);
    }

    @Test
    void nothingIsAnEmptyArray() {
        assertThat(bytes.toByteArray()).isEmpty();
    }
}
