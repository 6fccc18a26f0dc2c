package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FrozenMapTest {
    private final Map<String, String> source = new LinkedHashMap<>();

    FrozenMapTest() {
        source.put("z", "1");
        source.put("a", "2");
    }

    @Test
    void itKeepsTheOrderAndEqualsTheMapItWasMadeOf() {
        FrozenMap frozen = FrozenMap.copyOf(source);
        assertThat(frozen).containsExactlyEntriesOf(source).isEqualTo(source).hasSameHashCodeAs(source);
        assertThat(frozen.get("a")).isEqualTo("2");
        assertThat(frozen.containsKey("b")).isFalse();
    }

    @Test
    void nobodyChangesIt() {
        FrozenMap frozen = FrozenMap.copyOf(source);
        source.put("b", "3");
        assertThat(frozen).hasSize(2);
        assertThatThrownBy(() -> frozen.put("b", "3")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> frozen.remove("a")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> frozen.entrySet().iterator().next().setValue("3"))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void aFrozenMapIsNotCopiedAgain() {
        FrozenMap frozen = FrozenMap.copyOf(source);
        assertThat(FrozenMap.copyOf(frozen)).isSameAs(frozen);
        assertThat(FrozenMap.copyOf(Map.of())).isSameAs(FrozenMap.copyOf(new LinkedHashMap<>()));
    }
}
