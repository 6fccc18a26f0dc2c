package io.formacdc.core;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A chunk is published while the next is exported: what then fails, fails as if one came after the other. */
@Timeout(20)
class FlushOverlapTest {
    private static final int SCHEMA = 7;
    private static final int CHUNK = 2;
    private static final int CHUNKS = 3;

    @TempDir
    private Path folder;

    private MemoryChangeLog changeLog;
    private final MemoryObjectStore store = new MemoryObjectStore();
    private final MemoryFileLog fileLog = new MemoryFileLog();
    private final List<String> effects = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch exportOfTheSecond = new CountDownLatch(1);
    private final CountDownLatch unlocked = new CountDownLatch(1);
    private @Nullable Thread ofTheSecond;

    /** Takes the number of the chunk, from 1. */
    private interface Hook {
        void at(int chunk) throws Exception;
    }

    private Hook beforeExport = chunk -> {};
    private Hook beforeAppend = chunk -> {};
    private Hook beforeMark = chunk -> {};

    @BeforeEach
    void dirtyRows() {
        changeLog = new MemoryChangeLog(folder);
        for (int i = 1; i <= CHUNK * CHUNKS; i++) {
            changeLog.dirty(SCHEMA, new UUID(0, i), i);
        }
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("forma-cdc-export"));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
        assertThat(changeLog.tryLock(SCHEMA)).isPresent();
    }

    @Test
    void nextChunkIsExportedWhileThisOneIsPublished() {
        beforeAppend = chunk -> {
            if (chunk == 1) {
                assertThat(exportOfTheSecond.await(10, TimeUnit.SECONDS)).isTrue();
            }
        };
        assertThat(flush().outcome()).isEqualTo(Outcome.FLUSHED);
        assertThat(effects.stream().filter(effect -> !effect.startsWith("export")))
                .containsExactly("append 1", "mark 1", "append 2", "mark 2", "append 3", "mark 3", "unlock");
        assertThat(changeLog.dirtyRows(SCHEMA)).isEmpty();
    }

    @Test
    void onlyOneChunkIsExportedAhead() {
        beforeAppend = chunk -> {
            if (chunk == 1) {
                assertThat(exportOfTheSecond.await(10, TimeUnit.SECONDS)).isTrue();
                joinExportOfTheSecond();
                assertThat(effects).doesNotContain("export 3");
            }
        };
        assertThat(flush().outcome()).isEqualTo(Outcome.FLUSHED);
    }

    @Test
    void onlyChunkIsExportedByTheCallingThread() {
        List<Thread> threads = new ArrayList<>();
        beforeExport = chunk -> threads.add(Thread.currentThread());
        flush(CHUNK * CHUNKS);
        assertThat(threads).containsExactly(Thread.currentThread());
    }

    @Test
    void failedAppendEndsTheExportOfTheNextChunk() {
        blockExportOfTheSecond();
        beforeAppend = chunk -> {
            exportOfTheSecond.await();
            throw new CdcException("refused");
        };
        SchemaFlush flush = failed(catchThrowable(this::flush));
        assertThat(flush.error()).hasMessageContaining("append of ").hasMessageContaining("refused");
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * CHUNKS);
        assertThat(store.keys()).isEmpty();
    }

    @Test
    void lockIsHeldUntilTheExportOfTheNextChunkHasEnded() {
        beforeExport = chunk -> {
            if (chunk == 2) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    // A server takes its time to end a query.
                    unlocked.await(300, TimeUnit.MILLISECONDS);
                    effects.add("end of export 2");
                    throw new CdcInterruptedException("interrupted during the export", e);
                }
            }
        };
        beforeAppend = chunk -> {
            exportOfTheSecond.await();
            throw new CdcException("refused");
        };
        failed(catchThrowable(this::flush));
        assertThat(effects).containsExactly("export 1", "export 2", "end of export 2", "unlock");
    }

    @Test
    void fenceEndsTheExportOfTheNextChunk() {
        blockExportOfTheSecond();
        beforeAppend = chunk -> {
            exportOfTheSecond.await();
            throw new FencedException("another flush");
        };
        assertThat(flush().outcome()).isEqualTo(Outcome.FENCED);
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * CHUNKS);
        assertThat(store.keys()).isEmpty();
    }

    @Test
    void lockLostAtTheMarkLeavesTheNextChunkUnlistedThoughItIsExported() {
        beforeMark = chunk -> {
            exportOfTheSecond.await();
            joinExportOfTheSecond();
            throw new DatabaseException("mark", new SQLException("terminated", "57P01"));
        };
        SchemaFlush flush = failed(catchThrowable(this::flush));
        assertThat(flush.error()).hasMessageContaining("mark of the rows of ");
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * CHUNKS);
        assertThat(store.keys()).hasSize(1);
        assertThat(effects).containsExactlyInAnyOrder("export 1", "append 1", "export 2", "unlock");
    }

    @Test
    void failedExportOfTheNextChunkLeavesThisOneFlushed() {
        beforeExport = chunk -> {
            if (chunk == 2) {
                throw new CdcException("no space");
            }
        };
        beforeMark = chunk -> joinExportOfTheSecond();
        SchemaFlush flush = failed(catchThrowable(this::flush));
        assertThat(flush.error()).hasMessage("schema 7, export of 2 rows: no space");
        assertThat(flush.chunks()).isEqualTo(1);
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * (CHUNKS - 1));
    }

    @Test
    void errorInTheExportOfTheNextChunkIsThrownAsItIs() {
        beforeExport = chunk -> {
            if (chunk == 2) {
                throw new StackOverflowError();
            }
        };
        assertThat(catchThrowable(this::flush)).isInstanceOf(StackOverflowError.class);
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * (CHUNKS - 1));
    }

    @Test
    void interruptWhileTheNextChunkIsAwaitedEndsBoth() {
        blockExportOfTheSecond();
        Thread pass = Thread.currentThread();
        beforeMark = chunk -> exportOfTheSecond.await();
        Thread interrupter = new Thread(() -> {
            // In this order: marked first, the pass can wait for nothing but the export of the second.
            while (changeLog.dirtyRows(SCHEMA).size() > 4 || pass.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            pass.interrupt();
        });
        interrupter.start();
        long begin = System.nanoTime();
        Throwable thrown = catchThrowable(this::flush);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(2));
        SchemaFlush flush = ((CdcInterruptedException) thrown)
                .report()
                .orElseThrow()
                .schema(SCHEMA)
                .orElseThrow();
        assertThat(flush.error()).hasMessageStartingWith("schema 7, export of 2 rows: ");
        assertThat(flush.chunks()).isEqualTo(1);
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * (CHUNKS - 1));
    }

    @Test
    void interruptDuringAMarkEndsTheExportOfTheNextChunk() {
        blockExportOfTheSecond();
        beforeMark = chunk -> {
            exportOfTheSecond.await();
            Thread.currentThread().interrupt();
        };
        Throwable thrown = catchThrowable(this::flush);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown).isInstanceOf(CdcInterruptedException.class).hasMessageContaining("pause after 1 chunks");
        assertThat(changeLog.dirtyRows(SCHEMA)).hasSize(CHUNK * (CHUNKS - 1));
    }

    /** Until its thread is interrupted. */
    private void blockExportOfTheSecond() {
        beforeExport = chunk -> {
            if (chunk == 2) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CdcInterruptedException("interrupted during the export", e);
                }
            }
        };
    }

    private void joinExportOfTheSecond() throws InterruptedException {
        exportOfTheSecond.await();
        if (ofTheSecond != null) {
            ofTheSecond.join();
        }
    }

    private static SchemaFlush failed(Throwable thrown) {
        assertThat(thrown).isInstanceOf(SchemaFlushException.class);
        SchemaFlush flush =
                ((SchemaFlushException) thrown).report().schema(SCHEMA).orElseThrow();
        assertThat(flush.outcome()).isEqualTo(Outcome.FAILED);
        return flush;
    }

    private SchemaFlush flush() {
        return flush(CHUNK);
    }

    private SchemaFlush flush(int batchSize) {
        CdcConfig config = CdcConfig.builder()
                .s3Prefix("data")
                .minRecords(1)
                .batchSize(batchSize)
                .build()
                .withDefaults();
        Flusher.Ports ports = new Flusher.Ports(new HookedLog(), new HookedExporter(), store, this::open);
        return new Flusher(config, ports, null, CdcListener.NONE, Clock.systemUTC())
                .run(false)
                .schema(SCHEMA)
                .orElseThrow();
    }

    private static void call(Hook hook, int chunk) {
        try {
            hook.at(chunk);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static int number(UUID rowId) {
        return (int) ((rowId.getLeastSignificantBits() + CHUNK - 1) / CHUNK);
    }

    private FileLog.Appender open(int schemaId) {
        FileLog.Appender appender = fileLog.open(schemaId);
        return file -> {
            int chunk = number(requireNonNull(file.contents().rowIds()).max());
            call(beforeAppend, chunk);
            appender.append(file);
            effects.add("append " + chunk);
        };
    }

    private final class HookedExporter implements SnapshotExporter {
        @Override
        public Snapshot openSnapshot(int schemaId, @Nullable SchemaAttributes attributes) {
            return new DelegatingSnapshot(changeLog.openSnapshot(schemaId, attributes)) {
                @Override
                public Exported export(Chunk chunk, LongConsumer progress) {
                    int number = number(chunk.lastRowId());
                    effects.add("export " + number);
                    if (number == 2) {
                        ofTheSecond = Thread.currentThread();
                        exportOfTheSecond.countDown();
                    }
                    call(beforeExport, number);
                    return super.export(chunk, progress);
                }
            };
        }
    }

    private final class HookedLog implements ChangeLogStore {
        @Override
        public List<DirtySchema> dirtySchemas() {
            return changeLog.dirtySchemas();
        }

        @Override
        public Optional<Locked> tryLock(int schemaId) {
            return changeLog.tryLock(schemaId).map(real -> new Locked() {
                @Override
                public ChangeLog.Stats stats() {
                    return real.stats();
                }

                @Override
                public long markFlushedVersions(RowVersions versions, long flushedAtMillis) {
                    int chunk = number(versions.rowId(versions.size() - 1));
                    call(beforeMark, chunk);
                    long marked = real.markFlushedVersions(versions, flushedAtMillis);
                    effects.add("mark " + chunk);
                    return marked;
                }

                @Override
                public void close() {
                    real.close();
                    effects.add("unlock");
                    unlocked.countDown();
                }
            });
        }
    }
}
