package io.formacdc.manifest;

import io.formacdc.core.CdcException;
import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A first look at a snapshot: all its rows are counted, and meanwhile the first of them are exported to see how large
 * rows are. Immutable.
 *
 * @param last the greatest row id; null without rows
 * @param live all rows
 */
record LiveSurvey(@Nullable UUID last, RowsDigest live, Pilot pilot) {
    private static final int PILOT_ROWS = 10_000;

    /**
     * The first rows.
     *
     * @param measured a file of them, which was not kept; null if they are all, and so will be in the only file
     */
    record Pilot(Chunk chunk, @Nullable FileContents measured) {}

    /** @param last the greatest row id; null without rows */
    static LiveSurvey of(LiveSnapshot snapshot, @Nullable UUID last, int maxRows, WorkSteps steps) {
        Supplier<Record> count = () -> steps.during("count of live rows", () -> snapshot.digest(RowIdInterval.ALL));
        Supplier<Record> pilot = () -> pilot(snapshot, last, Math.min(PILOT_ROWS, maxRows), steps);
        List<Record> found = ParallelWork.map(List.of(count, pilot), 2, Supplier::get);
        return new LiveSurvey(last, (RowsDigest) found.get(0), (Pilot) found.get(1));
    }

    private static Pilot pilot(LiveSnapshot snapshot, @Nullable UUID last, int rows, WorkSteps steps) {
        if (last == null) {
            return new Pilot(LiveSnapshot.NO_ROWS, null);
        }
        Chunk chunk =
                steps.during("selection of rows", () -> Objects.requireNonNull(snapshot.selectChunk(null, last, rows)));
        return new Pilot(chunk, chunk.lastRowId().equals(last) ? null : measure(snapshot, chunk, steps));
    }

    /** A file of the first rows, which are exported now if they have not been. */
    FileContents measured(LiveSnapshot snapshot, WorkSteps steps) {
        FileContents measured = pilot.measured();
        return measured != null ? measured : measure(snapshot, pilot.chunk(), steps);
    }

    private static FileContents measure(LiveSnapshot snapshot, Chunk chunk, WorkSteps steps) {
        return steps.during("export of the first " + chunk.rowCount() + " rows", () -> {
            try (ExportedFile file = snapshot.export(chunk, rows -> {})) {
                checkRowCount(chunk, file);
                return file.contents();
            }
        });
    }

    static void checkRowCount(Chunk chunk, ExportedFile file) {
        if (file.contents().rowCount() != chunk.rowCount()) {
            throw new CdcException("the file holds " + file.contents().rowCount() + " rows, and " + chunk.rowCount()
                    + " were selected");
        }
    }
}
