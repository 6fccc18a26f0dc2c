package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.ChangeLogStore.DirtySchema;
import io.formacdc.core.CompactionConfig;
import io.formacdc.core.CompactionReport.SchemaCompaction;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.ManifestSize;
import io.formacdc.core.OpenSnapshot;
import io.formacdc.core.Progress;
import io.formacdc.core.Progress.Amount;
import io.formacdc.core.Progress.Stage;
import io.formacdc.core.Progress.Task;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ListenerIT {
    private static final int SCHEMA = 7;

    private TestHost host;

    @BeforeEach
    void start() throws SQLException {
        host = new TestHost();
    }

    @AfterEach
    void stop() throws SQLException {
        host.close();
    }

    @Test
    void listenerHearsOfEachStepInOrder() throws SQLException {
        new Entities(host, SCHEMA).insertMany(25);
        List<String> heard = new ArrayList<>();
        CdcListener listener = new CdcListener() {
            @Override
            public void schemaStarted(int schema, long dirtyRows) {
                heard.add("started " + schema + " " + dirtyRows);
            }

            @Override
            public void fileFlushed(int schema, FlushedFile file, long markedRows) {
                heard.add("file " + schema + " " + file.contents().rowCount() + " " + markedRows);
            }

            @Override
            public void schemaFinished(SchemaFlush flush) {
                heard.add("finished " + flush.schemaId() + " " + flush.outcome());
            }
        };
        try (CdcRunner runner = runner(host.config().batchSize(10).build(), listener)) {
            runner.runOnce(false);
        }
        assertThat(heard)
                .containsExactly(
                        "started " + SCHEMA + " 25",
                        "file " + SCHEMA + " 10 10",
                        "file " + SCHEMA + " 10 10",
                        "file " + SCHEMA + " 5 5",
                        "finished " + SCHEMA + " FLUSHED");
    }

    @Test
    void aPassTellsItsBacklogWhereNothingIsDue() throws SQLException {
        new Entities(host, SCHEMA).insertMany(25);
        Heard heard = new Heard();
        try (CdcRunner runner =
                runner(host.config().minRecords(26).maxAgeMs(Long.MAX_VALUE).build(), heard)) {
            runner.runOnce(false);
            host.sql("UPDATE change_log SET flushed_at = 1");
            runner.runOnce(false);
        }
        assertThat(heard.events)
                .containsExactly(
                        "backlog [DirtySchema[schemaId=7, rows=25, oldestChangedAtMillis="
                                + (Entities.FIRST_VERSION + 1) + "]]",
                        "backlog []");
    }

    @Test
    void aCompactionTellsWhatIsDueAndHowFarItIs() throws SQLException {
        new Entities(host, SCHEMA).insertMany(3_000);
        CdcConfig config = host.config().batchSize(1_000).build();
        Cdc.runOnce(config, host.client, false, Entities.REGISTRY);
        Heard heard = new Heard();
        SchemaCompaction done;
        try (CdcRunner runner = runner(config, heard)) {
            done = runner.compactor(CompactionConfig.builder().schemaId(SCHEMA).build())
                    .runOnce()
                    .schemas()
                    .get(0);
        }
        long fetched = done.bytesRetired();
        assertThat(heard.last(Stage.FETCH))
                .isEqualTo(
                        new Progress(SCHEMA, Task.COMPACTION, Stage.FETCH, Amount.NONE, new Amount(fetched, fetched)));
        assertThat(heard.last(Stage.MERGE).rows()).isEqualTo(new Amount(3_000, 3_000));
        assertThat(heard.last(Stage.UPLOAD).bytes().done()).isEqualTo(done.bytesWritten());
        assertThat(heard.events)
                .containsExactly(
                        "manifest {delta=Tier[files=3, bytes=" + fetched + "]} retired 0",
                        "due 3 " + fetched,
                        "manifest {base=Tier[files=1, bytes=" + done.bytesWritten() + "]} retired 3",
                        "due 0 0");
        assertThat(heard.mostMemory.get()).isPositive();
    }

    @Test
    void anExportTellsOfItsSnapshotAndHowFarItIs() throws SQLException {
        new Entities(host, SCHEMA).insertMany(3_000);
        Heard heard = new Heard();
        long bytes;
        try (CdcRunner runner = runner(host.config().build(), heard)) {
            bytes = runner.exportBase(SCHEMA, BaseExportOptions.DEFAULTS).bytes();
        }
        Amount all = new Amount(3_000, 3_000);
        assertThat(heard.last(Stage.EXPORT).rows()).isEqualTo(all);
        assertThat(heard.last(Stage.UPLOAD).bytes().done()).isEqualTo(bytes);
        assertThat(heard.last(Stage.PLACE))
                .isEqualTo(new Progress(SCHEMA, Task.BASE_EXPORT, Stage.PLACE, all, new Amount(bytes, bytes)));
        assertThat(heard.events)
                .containsExactly(
                        "snapshot opened",
                        "snapshot closed",
                        "manifest {base=Tier[files=1, bytes=" + bytes + "]} retired 0");
        assertThat(heard.open).isEmpty();
        assertThat(heard.mostMemory.get()).isPositive();
    }

    @Test
    void listenerThatThrowsChangesNothing() throws SQLException {
        Entities entities = new Entities(host, SCHEMA).insertMany(25);
        // Progress is told a few times a second: reading has to take some time.
        host.sql("ALTER TABLE entity_main RENAME TO entity_real");
        host.sql("CREATE VIEW entity_main AS SELECT e.* FROM entity_real e, LATERAL (SELECT pg_sleep(0.012)) s");
        List<String> heard = Collections.synchronizedList(new ArrayList<>());
        CdcListener listener = new CdcListener() {
            @Override
            public void schemaStarted(int schema, long dirtyRows) {
                fail("started");
            }

            @Override
            public void progressed(Progress progress) {
                fail(progress.stage() + " " + progress.rows());
            }

            @Override
            public void fileFlushed(int schema, FlushedFile file, long markedRows) {
                fail("file");
            }

            @Override
            public void schemaFinished(SchemaFlush flush) {
                fail("finished");
            }

            private void fail(String what) {
                heard.add(what);
                throw new IllegalStateException("the listener fails at " + what);
            }
        };
        CdcConfig config = host.config().batchSize(25).build();
        try (CdcRunner runner = runner(config, listener)) {
            assertThat(runner.runOnce(false).rows()).isEqualTo(25);
        }
        assertThat(heard)
                .containsExactly(
                        "started",
                        "EXPORT Amount[done=25, total=25]",
                        "UPLOAD Amount[done=25, total=25]",
                        "file",
                        "finished");
        entities.assertLakeEqualsPostgres(config);
    }

    private CdcRunner runner(CdcConfig config, CdcListener listener) {
        return CdcRunner.builder(config)
                .s3Client(host.client)
                .registry(Entities.REGISTRY)
                .listener(listener)
                .build();
    }

    /** Events but for progress in their order, and of each stage of progress the last. */
    private static final class Heard implements CdcListener {
        final List<String> events = Collections.synchronizedList(new ArrayList<>());
        final Set<OpenSnapshot> open = ConcurrentHashMap.newKeySet();
        final AtomicLong mostMemory = new AtomicLong();
        private final Map<Stage, Progress> last = new ConcurrentHashMap<>();

        Progress last(Stage stage) {
            return Objects.requireNonNull(last.get(stage));
        }

        @Override
        public void backlogRead(List<DirtySchema> backlog) {
            events.add("backlog " + backlog);
        }

        @Override
        public void compactionDue(int schemaId, int files, long bytes) {
            events.add("due " + files + " " + bytes);
        }

        @Override
        public void manifestSeen(ManifestSize size) {
            events.add("manifest " + size.tiers() + " retired " + size.retiredFiles());
        }

        @Override
        public void progressed(Progress progress) {
            last.put(progress.stage(), progress);
        }

        @Override
        public void snapshotOpened(OpenSnapshot snapshot) {
            events.add("snapshot opened");
            open.add(snapshot);
        }

        @Override
        public void snapshotClosed(OpenSnapshot snapshot) {
            events.add("snapshot closed");
            open.remove(snapshot);
        }

        @Override
        public void duckDbMemory(long bytes, long spilledBytes) {
            mostMemory.accumulateAndGet(bytes, Math::max);
        }
    }
}
