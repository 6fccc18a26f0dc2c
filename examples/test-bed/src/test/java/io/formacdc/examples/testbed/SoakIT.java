package io.formacdc.examples.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** One minute of load, or {@code -Dsoak.minutes}. */
class SoakIT {
    @Test
    void nothingIsLostUnderLoadAndFaults() throws Exception {
        Duration duration =
                Duration.ofSeconds(Math.round(60 * Double.parseDouble(System.getProperty("soak.minutes", "1"))));
        String report = Soak.run(duration);
        System.out.println(report);
        assertThat(report).contains("rows checked");
    }
}
