package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.RowIdInterval;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RowIdSetTest {
    private static final UUID LOW = new UUID(0, 0);
    private static final UUID MIDDLE = new UUID(5, 0);
    private static final UUID HIGH = new UUID(-1, -7);

    private static RowIdSet of(UUID... ascending) {
        List<UUID> ids = List.of(ascending);
        return new RowIdSet(
                ids.stream().mapToLong(UUID::getMostSignificantBits).toArray(),
                ids.stream().mapToLong(UUID::getLeastSignificantBits).toArray());
    }

    private static boolean contains(RowIdSet set, UUID id) {
        return set.contains(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    @Test
    void itHasWhatItWasMadeOfAndNothingElse() {
        RowIdSet set = of(LOW, MIDDLE, HIGH);
        assertThat(set.size()).isEqualTo(3);
        assertThat(List.of(LOW, MIDDLE, HIGH)).allMatch(id -> contains(set, id));
        assertThat(List.of(new UUID(0, 1), new UUID(4, 0), new UUID(5, -1), new UUID(-1, -8), new UUID(-1, -1)))
                .noneMatch(id -> contains(set, id));
    }

    @Test
    void itsIntervalHasTheFirstAndTheLastAndNothingBesideThem() {
        RowIdInterval interval = of(MIDDLE, HIGH).interval();
        assertThat(interval).isEqualTo(new RowIdInterval(new UUID(4, -1), HIGH));
        assertThat(interval.contains(MIDDLE)).isTrue();
        assertThat(of(LOW).interval()).isEqualTo(new RowIdInterval(null, LOW));
        assertThat(of(new UUID(0, 9)).interval()).isEqualTo(new RowIdInterval(new UUID(0, 8), new UUID(0, 9)));
    }
}
