package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcListener;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.FlushedFile;
import io.formacdc.core.Progress;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
}
