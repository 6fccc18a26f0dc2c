package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class CopyEndTest {
    private final SQLException cancelled = new SQLException("canceling statement", "57014");
    private final SQLException noSnapshot = new SQLException("snapshot does not exist", "42704");
    private final SQLException noSource = new SQLException("source process is not running", "55000");

    private static CopyEnd after(Throwable... failures) {
        CopyEnd end = new CopyEnd();
        assertThat(end.isReached()).isFalse();
        for (Throwable failure : failures) {
            end.failed(failure);
        }
        assertThat(end.isReached()).isTrue();
        return end;
    }

    @Test
    void theFirstFailureIsKept() {
        IllegalStateException other = new IllegalStateException();
        assertThat(after(cancelled, other).failure()).isSameAs(cancelled);
        assertThat(after(other, cancelled).failure()).isSameAs(other);
    }

    @Test
    void aSnapshotThatIsGoneIsTheFailureOnlyWhereNobodyKnowsWhy() {
        assertThat(after(noSnapshot, cancelled).failure()).isSameAs(cancelled);
        assertThat(after(cancelled, noSource).failure()).isSameAs(cancelled);
        assertThat(after(noSnapshot).failure()).isSameAs(noSnapshot);
    }

    @Test
    void anEndFromOutsideIsNoFailure() {
        CopyEnd end = new CopyEnd();
        end.reached();
        assertThat(end.isReached()).isTrue();
        assertThat(end.failure()).isNull();
    }
}
