package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import io.formacdc.core.SnapshotExporter.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What every {@link SnapshotExporter} must do that writes to the local disk. Each test begins without rows. */
public abstract class SnapshotExporterContract {
    private static final UUID FIRST = new UUID(1, 1);
    private static final UUID SECOND = new UUID(1, -1);
    private static final UUID LAST = new UUID(-1, 1);

    protected abstract SnapshotExporter exporter();

    /** As a writer does: gives slot 0 of a row a version. */
    protected abstract void dirty(int schemaId, UUID rowId, long changedAtMillis) throws Exception;

    /** Where the exporter has its files, and nobody else. */
    protected abstract Path folder();

    private void dirtyThree() throws Exception {
        dirty(7, LAST, 300);
        dirty(7, FIRST, 100);
        dirty(7, SECOND, 200);
        dirty(8, new UUID(-1, -1), 400);
    }

    private static Chunk chunk(Snapshot snapshot, int maxRows) {
        return Objects.requireNonNull(snapshot.selectChunk(null, LAST, maxRows));
    }

    private static ExportedFile export(Snapshot snapshot, int maxRows) {
        return (ExportedFile) snapshot.export(chunk(snapshot, maxRows), rows -> {});
    }

    @Test
    void aSchemaWithoutDirtyRowsHasNoLastRowAndNoChunk() throws Exception {
        dirty(8, FIRST, 100);
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            assertThat(snapshot.lastRowId()).isNull();
            assertThat(snapshot.selectChunk(null, LAST, 10)).isNull();
        }
    }

    @Test
    void chunksFollowEachOtherInByteOrder() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            assertThat(snapshot.lastRowId()).isEqualTo(LAST);
            assertThat(snapshot.selectChunk(null, LAST, 2)).isEqualTo(new Chunk(null, SECOND, 2, List.of()));
            assertThat(snapshot.selectChunk(SECOND, LAST, 2)).isEqualTo(new Chunk(SECOND, LAST, 1, List.of()));
            assertThat(snapshot.selectChunk(LAST, LAST, 2)).isNull();
        }
    }

    @Test
    void aChunkEndsAtItsUpperBound() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            assertThat(snapshot.selectChunk(null, SECOND, 10)).isEqualTo(new Chunk(null, SECOND, 2, List.of()));
        }
    }

    @Test
    void splitsLieInsideTheChunkInOrder() throws Exception {
        List<UUID> ids =
                IntStream.range(0, 20_000).mapToObj(n -> new UUID(n, n)).toList();
        for (UUID id : ids) {
            dirty(7, id, 100);
        }
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            Chunk chunk = chunk(snapshot, 15_000);
            List<UUID> bounds = new ArrayList<>(chunk.splits());
            bounds.add(chunk.lastRowId());
            assertThat(bounds).isSortedAccordingTo(RowIdInterval.BYTE_ORDER).doesNotHaveDuplicates();
            assertThat(chunk.lastRowId()).isEqualTo(ids.get(14_999));
        }
    }

    @Test
    void aFileHoldsTheRowsOfItsChunkWithTheirVersions() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null);
                ExportedFile file = export(snapshot, 2)) {
            assertThat(versions(file)).containsExactlyInAnyOrder(FIRST + "@100", SECOND + "@200");
            assertThat(file.contents().rowCount()).isEqualTo(2);
            assertThat(file.contents().rowIds()).isEqualTo(new RowIdRange(FIRST, SECOND));
            assertThat(file.contents().versions()).isEqualTo(new VersionRange(100, 200));
            assertThat(file.contents().sizeBytes()).isEqualTo(Files.size(file.path()));
            assertThat(file.contents().checksum()).isEqualTo(FileContents.checksumOf(file.path()));
        }
    }

    @Test
    void whatIsWrittenAfterTheSnapshotIsNotInIt() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            assertThat(snapshot.lastRowId()).isEqualTo(LAST);
            dirty(7, SECOND, 900);
            dirty(7, new UUID(2, 2), 900);
            try (ExportedFile file = export(snapshot, 10)) {
                assertThat(versions(file)).containsExactlyInAnyOrder(FIRST + "@100", SECOND + "@200", LAST + "@300");
            }
        }
    }

    @Test
    void aClosedFileIsGone() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            ExportedFile file = export(snapshot, 10);
            assertThat(file.path()).exists();
            file.close();
            assertThat(file.path()).doesNotExist();
            file.close();
        }
    }

    @Test
    void anInterruptedExportSaysSoAndLeavesNoFile() throws Exception {
        dirtyThree();
        try (Snapshot snapshot = exporter().openSnapshot(7, null)) {
            Chunk chunk = chunk(snapshot, 10);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> snapshot.export(chunk, rows -> {})).isInstanceOf(CdcInterruptedException.class);
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(parquetFiles()).isEmpty();
    }

    private List<Path> parquetFiles() throws IOException {
        try (Stream<Path> files = Files.walk(folder())) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(".parquet"))
                    .toList();
        }
    }

    private static List<String> versions(ExportedFile file) {
        RowVersions versions = file.versions();
        return IntStream.range(0, versions.size())
                .mapToObj(i -> versions.rowId(i) + "@" + versions.changedAtMillis(i))
                .toList();
    }
}
