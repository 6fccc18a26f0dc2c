package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class UuidV7Test {
    @Test
    void idsAreOfVersionSevenAndOfTheCommonVariant() {
        for (int i = 0; i < 1_000; i++) {
            UUID id = UuidV7.next();
            assertThat(id.version()).isEqualTo(7);
            assertThat(id.variant()).isEqualTo(2);
        }
    }

    @Test
    void idsBeginWithTheMillisecond() {
        long before = System.currentTimeMillis();
        long millis = UuidV7.next().getMostSignificantBits() >>> 16;
        assertThat(millis).isBetween(before, System.currentTimeMillis());
    }

    @Test
    void anIdOfALaterMillisecondIsGreaterAsText() {
        UUID earlier = UuidV7.next();
        long millis = System.currentTimeMillis();
        while (System.currentTimeMillis() == millis) {
            Thread.onSpinWait();
        }
        assertThat(UuidV7.next().toString()).isGreaterThan(earlier.toString());
    }

    @Test
    void noTwoIdsAreEqual() {
        Set<UUID> ids = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            assertThat(ids.add(UuidV7.next())).isTrue();
        }
    }
}
