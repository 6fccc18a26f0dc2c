package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RowVersionsTest {
    @Test
    void collectorsAreJoinedInOrder() {
        RowVersions.Collector one = new RowVersions.Collector();
        RowVersions.Collector none = new RowVersions.Collector();
        RowVersions.Collector other = new RowVersions.Collector();
        for (int i = 0; i < 5_000; i++) {
            (i < 3_000 ? one : other).add(i, -i, 10L * i, i);
        }
        RowVersions all = RowVersions.of(List.of(one, none, other));
        assertThat(all.size()).isEqualTo(5_000);
        for (int i = 0; i < 5_000; i++) {
            assertThat(all.rowId(i)).isEqualTo(new UUID(i, -i));
            assertThat(all.changedAtMillis(i)).isEqualTo(10L * i);
            assertThat(all.xmin(i)).isEqualTo(i);
        }
    }

    @Test
    void anXminIsUnsigned() {
        RowVersions.Collector collector = new RowVersions.Collector();
        collector.add(1, 2, 3, Integer.parseUnsignedInt("4294967295"));
        assertThat(RowVersions.of(List.of(collector)).xmin(0)).isEqualTo(4_294_967_295L);
    }

    @Test
    void idsBecomeTheTextOfAnArray() {
        RowVersions.Collector collector = new RowVersions.Collector();
        assertThat(text(collector)).isEqualTo("{}");
        collector.add(0x0123456789abcdefL, 0xfedcba9876543210L, 1, 1);
        assertThat(text(collector)).isEqualTo("{0123456789abcdeffedcba9876543210}");
        collector.add(0, -1, 1, 1);
        assertThat(text(collector)).isEqualTo("{0123456789abcdeffedcba9876543210,0000000000000000ffffffffffffffff}");
    }

    private static String text(RowVersions.Collector collector) {
        return new String(RowVersions.of(List.of(collector)).rowIdsAsArrayText(), StandardCharsets.US_ASCII);
    }
}
