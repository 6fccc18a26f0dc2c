package io.formacdc.manifest;

import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.RowIdInterval;
import io.formacdc.core.RowVersions;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.manifest.Lines.Row;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Rows of one instant, in row-id order, and their export to files of lines. */
final class MemorySnapshot implements LiveSnapshot {
    private final Map<UUID, Row> rows;
    private final Function<Collection<Row>, RowVersions> versions;
    private final Path folder;
    private final Faults faults;

    MemorySnapshot(Map<UUID, Row> rows, Function<Collection<Row>, RowVersions> versions, Path folder, Faults faults) {
        this.rows = rows;
        this.versions = versions;
        this.folder = folder;
        this.faults = faults;
    }

    private List<Row> in(RowIdInterval interval) {
        return rows.values().stream().filter(row -> interval.contains(row.id())).toList();
    }

    @Override
    public @Nullable UUID lastRowId() {
        // Null is no answer that can get lost.
        List<UUID> ids = faults.call("lastRow", () -> List.copyOf(rows.keySet()));
        return ids.isEmpty() ? null : ids.get(ids.size() - 1);
    }

    @Override
    public @Nullable Chunk selectChunk(@Nullable UUID afterRowId, UUID upToRowId, int maxRows) {
        List<Row> next = faults.call(
                "select",
                () -> in(new RowIdInterval(afterRowId, upToRowId)).stream()
                        .limit(maxRows)
                        .toList());
        return next.isEmpty()
                ? null
                : new Chunk(afterRowId, next.get(next.size() - 1).id(), next.size(), List.of());
    }

    @Override
    public ExportedFile export(Chunk chunk, LongConsumer progress) {
        return faults.call("export", () -> {
            List<Row> exported = in(new RowIdInterval(chunk.afterRowId(), chunk.lastRowId()));
            Path file = Lines.write(folder, exported);
            return new ExportedFile(file, Lines.contents(file, exported), versions.apply(exported), Map.of());
        });
    }

    @Override
    public RowsDigest digest(RowIdInterval interval) {
        return faults.call("digest", () -> {
            Stream<Row> inside = in(interval).stream();
            long sum = inside.mapToLong(row -> row.hashCode() * 0x9E3779B97F4A7C15L)
                    .sum();
            return new RowsDigest(in(interval).size(), sum, ~sum);
        });
    }

    @Override
    public void close() {}
}
