package io.formacdc.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static Settings cities(String text) {
        Properties properties = new Properties();
        properties.setProperty("quickstart.cities", text);
        return Settings.of(properties);
    }

    @Test
    void whatIsNotSetIsTheDefault() {
        assertThat(Settings.of(new Properties())).isEqualTo(Settings.DEFAULT);
        assertThat(cities("1").cities()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "many", "", "3000000000"})
    void whatIsNoNumberOfCitiesIsRefusedWithWhatWouldBeRight(String text) {
        assertThatThrownBy(() -> cities(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("-Dquickstart.cities=" + text
                        + " is no number of cities; give 1 or more, or leave it out for all");
    }
}
