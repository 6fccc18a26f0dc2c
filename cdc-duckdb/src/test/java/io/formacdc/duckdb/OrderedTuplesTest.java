package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OrderedTuplesTest {
    /** Ids of this high half, whose low half comes after those of positive numbers in byte order. */
    private static final long LAST = -1;

    private static OrderedTuples of(long... lows) throws SQLException {
        Iterator<ByteBuffer> tuples =
                LongStream.of(lows).mapToObj(low -> tuple(7, low)).iterator();
        return new OrderedTuples(() -> tuples.hasNext() ? tuples.next() : null);
    }

    private static ByteBuffer tuple(long high, long low) {
        return ByteBuffer.allocate(22)
                .putShort((short) 1)
                .putInt(16)
                .putLong(high)
                .putLong(low)
                .flip();
    }

    private static @Nullable Long lowOf(@Nullable ByteBuffer tuple) {
        return tuple == null ? null : tuple.getLong(14);
    }

    @Test
    void seekPassesOverLesserIdsInByteOrder() throws SQLException {
        OrderedTuples tuples = of(1, 3, Long.MAX_VALUE, Long.MIN_VALUE, LAST);
        assertThat(lowOf(tuples.seek(7, 3))).isEqualTo(3);
        assertThat(lowOf(tuples.seek(7, LAST))).isEqualTo(LAST);
        assertThat(tuples.seek(8, 0)).isNull();
    }

    @Test
    void seekStaysBeforeAGreaterIdWhereThereIsNoneOfIts() throws SQLException {
        OrderedTuples tuples = of(1, 5);
        assertThat(tuples.seek(7, 3)).isNull();
        assertThat(lowOf(tuples.seek(7, 5))).isEqualTo(5);
    }

    @Test
    void tuplesOfOneIdComeOneAfterAnother() throws SQLException {
        OrderedTuples tuples = of(1, 1, 2);
        assertThat(tuples.seek(7, 1)).isNotNull();
        tuples.advance();
        assertThat(tuples.seek(7, 1)).isNotNull();
        tuples.advance();
        assertThat(tuples.seek(7, 1)).isNull();
        assertThat(tuples.seek(7, 2)).isNotNull();
    }

    @Test
    void whatIsOutOfOrderIsNoticedNotLost() throws SQLException {
        OrderedTuples tuples = of(2, 1);
        assertThatThrownBy(() -> tuples.seek(7, 2 + 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the server sent row ids out of order");
    }

    @Test
    void ofNoneNothingIsFound() throws SQLException {
        assertThat(of().seek(0, 0)).isNull();
        of().skipRest();
    }

    @Test
    void skipRestReadsToTheEnd() throws SQLException {
        Iterator<Long> lows = List.of(1L, 2L, 3L).iterator();
        OrderedTuples tuples = new OrderedTuples(() -> lows.hasNext() ? tuple(7, lows.next()) : null);
        tuples.skipRest();
        assertThat(lows).isExhausted();
    }
}
