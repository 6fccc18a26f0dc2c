package io.formacdc.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcListener;
import io.formacdc.core.Progress;
import io.formacdc.core.Progress.Amount;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.Progress.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;

class WorkProgressTest {
    private final List<Progress> heard = new ArrayList<>();
    private final WorkProgress progress = new WorkProgress(7, Task.COMPACTION, 100, 1_000, new CdcListener() {
        @Override
        public void progressed(Progress told) {
            heard.add(told);
        }
    });

    @Test
    void piecesAreSummedUpHoweverOftenTheyTell() {
        LongConsumer one = progress.ofPiece(Stage.MERGE);
        LongConsumer other = progress.ofPiece(Stage.MERGE);

        one.accept(10);
        other.accept(5);
        one.accept(30);
        progress.add(Stage.UPLOAD, 0, 400);
        other.accept(60);

        assertThat(heard).extracting(told -> told.rows().done()).containsExactly(10L, 15L, 35L, 35L, 90L);
        assertThat(heard.get(4))
                .isEqualTo(new Progress(7, Task.COMPACTION, Stage.MERGE, new Amount(90, 100), new Amount(400, 1_000)));
    }
}
