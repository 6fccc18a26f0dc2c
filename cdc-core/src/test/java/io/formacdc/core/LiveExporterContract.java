package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.LiveExporter.LiveSnapshot;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.SnapshotExporter.Chunk;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What every {@link LiveExporter} must do. Each test begins without rows. */
public abstract class LiveExporterContract {
    private static final UUID FIRST = new UUID(1, 1);
    private static final UUID SECOND = new UUID(1, -1);
    private static final UUID LAST = new UUID(-1, 1);

    protected abstract LiveExporter exporter();

    /** As a writer does: creates an entity, or gives it another version. */
    protected abstract void write(int schemaId, UUID rowId, long updatedAtMillis) throws Exception;

    /** As a writer does that keeps what it deletes, or not. */
    protected abstract void delete(int schemaId, UUID rowId) throws Exception;

    /** Where the exporter has its files, and nobody else. */
    protected abstract Path folder();

    private void writeThree() throws Exception {
        write(7, LAST, 300);
        write(7, FIRST, 100);
        write(7, SECOND, 200);
        write(8, new UUID(-1, -1), 400);
    }

    private LiveSnapshot open() {
        return exporter().openLiveSnapshot(7, null, 2);
    }

    private static Chunk chunk(LiveSnapshot snapshot, int maxRows) {
        return Objects.requireNonNull(snapshot.selectChunk(null, LAST, maxRows));
    }

    @Test
    void aSchemaWithoutLiveRowsHasNoLastRowAndNoChunkButAFile() throws Exception {
        write(8, FIRST, 100);
        write(7, SECOND, 100);
        delete(7, SECOND);
        try (LiveSnapshot snapshot = open()) {
            assertThat(snapshot.lastRowId()).isNull();
            assertThat(snapshot.selectChunk(null, LAST, 10)).isNull();
            assertThat(snapshot.digest(RowIdInterval.ALL)).isEqualTo(new RowsDigest(0, 0, 0));
            try (ExportedFile file = snapshot.export(LiveSnapshot.NO_ROWS, rows -> {})) {
                assertThat(file.contents().rowCount()).isZero();
                assertThat(file.contents().rowIds()).isNull();
                assertThat(file.contents().versions()).isNull();
                assertThat(file.contents().columns()).containsKey("row_id");
                assertThat(file.contents().sizeBytes()).isEqualTo(Files.size(file.path()));
            }
        }
    }

    @Test
    void chunksFollowEachOtherInByteOrder() throws Exception {
        writeThree();
        try (LiveSnapshot snapshot = open()) {
            assertThat(snapshot.lastRowId()).isEqualTo(LAST);
            assertThat(snapshot.selectChunk(null, LAST, 2)).isEqualTo(new Chunk(null, SECOND, 2, List.of()));
            assertThat(snapshot.selectChunk(SECOND, LAST, 2)).isEqualTo(new Chunk(SECOND, LAST, 1, List.of()));
            assertThat(snapshot.selectChunk(LAST, LAST, 2)).isNull();
            assertThat(snapshot.selectChunk(null, SECOND, 10)).isEqualTo(new Chunk(null, SECOND, 2, List.of()));
        }
    }

    @Test
    void aFileHoldsTheRowsOfItsChunkAndNoVersionsToMark() throws Exception {
        writeThree();
        try (LiveSnapshot snapshot = open();
                ExportedFile file = snapshot.export(chunk(snapshot, 2), rows -> {})) {
            assertThat(file.contents().rowCount()).isEqualTo(2);
            assertThat(file.contents().rowIds()).isEqualTo(new RowIdRange(FIRST, SECOND));
            assertThat(file.contents().versions()).isEqualTo(new VersionRange(100, 200));
            assertThat(file.contents().sizeBytes()).isEqualTo(Files.size(file.path()));
            assertThat(file.contents().checksum()).isEqualTo(FileContents.checksumOf(file.path()));
            assertThat(file.versions().size()).isZero();
        }
    }

    @Test
    void whatIsWrittenAfterTheSnapshotIsNotInIt() throws Exception {
        writeThree();
        try (LiveSnapshot snapshot = open()) {
            RowsDigest before = snapshot.digest(RowIdInterval.ALL);
            write(7, SECOND, 900);
            write(7, new UUID(2, 2), 900);
            delete(7, LAST);
            assertThat(snapshot.lastRowId()).isEqualTo(LAST);
            assertThat(snapshot.digest(RowIdInterval.ALL)).isEqualTo(before);
            try (ExportedFile file = snapshot.export(chunk(snapshot, 10), rows -> {})) {
                assertThat(file.contents().rowCount()).isEqualTo(3);
                assertThat(file.contents().versions()).isEqualTo(new VersionRange(100, 300));
            }
        }
    }

    @Test
    void aDigestIsThatOfIdsAndVersionsAlone() throws Exception {
        writeThree();
        RowsDigest three = digestNow();
        assertThat(three.rows()).isEqualTo(3);

        write(7, SECOND, 900);
        assertThat(digestNow()).as("another version").isNotEqualTo(three);
        write(7, SECOND, 200);
        assertThat(digestNow()).as("the same again").isEqualTo(three);
        delete(7, SECOND);
        assertThat(digestNow()).as("a row less").isNotEqualTo(three);
        write(7, new UUID(1, -2), 200);
        assertThat(digestNow()).as("another row").isNotEqualTo(three);
        delete(7, new UUID(1, -2));
        delete(7, LAST);
        write(7, LAST, 200);
        write(7, SECOND, 300);
        assertThat(digestNow()).as("versions changed over").isNotEqualTo(three);
    }

    private RowsDigest digestNow() {
        try (LiveSnapshot snapshot = open()) {
            return snapshot.digest(RowIdInterval.ALL);
        }
    }

    @Test
    void aDigestOfAnIntervalIsOfTheRowsInItAndDigestsAddUp() throws Exception {
        writeThree();
        try (LiveSnapshot snapshot = open()) {
            RowsDigest all = snapshot.digest(RowIdInterval.ALL);
            RowsDigest upToSecond = snapshot.digest(new RowIdInterval(null, SECOND));
            RowsDigest afterSecond = snapshot.digest(new RowIdInterval(SECOND, null));
            assertThat(upToSecond.rows()).isEqualTo(2);
            assertThat(snapshot.digest(new RowIdInterval(FIRST, SECOND)).rows()).isEqualTo(1);
            assertThat(new RowsDigest(
                            upToSecond.rows() + afterSecond.rows(),
                            upToSecond.high() + afterSecond.high(),
                            upToSecond.low() + afterSecond.low()))
                    .isEqualTo(all);
        }
    }

    @Test
    void severalFilesMayBeExportedAtOnce() throws Exception {
        List<UUID> ids = new ArrayList<>();
        for (int n = 1; n <= 40; n++) {
            ids.add(new UUID(n, n));
            write(7, new UUID(n, n), n);
        }
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (LiveSnapshot snapshot = open()) {
            List<Future<ExportedFile>> files = new ArrayList<>();
            for (int i = 0; i < 40; i += 10) {
                Chunk chunk = Objects.requireNonNull(
                        snapshot.selectChunk(i == 0 ? null : ids.get(i - 1), new UUID(40, 40), 10));
                files.add(threads.submit(() -> snapshot.export(chunk, rows -> {})));
            }
            for (int i = 0; i < 40; i += 10) {
                try (ExportedFile file = files.get(i / 10).get()) {
                    assertThat(file.contents().rowIds()).isEqualTo(new RowIdRange(ids.get(i), ids.get(i + 9)));
                    assertThat(file.contents().versions()).isEqualTo(new VersionRange(i + 1, i + 10));
                    assertThat(file.contents().rowCount()).isEqualTo(10);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aClosedFileIsGone() throws Exception {
        writeThree();
        LiveSnapshot snapshot = open();
        ExportedFile file = snapshot.export(chunk(snapshot, 10), rows -> {});
        assertThat(file.path()).exists();
        file.close();
        assertThat(file.path()).doesNotExist();
        file.close();
        snapshot.close();
        snapshot.close();
    }

    @Test
    void anInterruptedExportSaysSoAndLeavesNoFile() throws Exception {
        writeThree();
        try (LiveSnapshot snapshot = open()) {
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
}
