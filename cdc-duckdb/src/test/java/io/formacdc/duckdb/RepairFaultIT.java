package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A repair that did not write what it was to write lists nothing. */
@Timeout(120)
final class RepairFaultIT {
    @TempDir
    private Path folder;

    private TestHost host;
    private BrokenLake lake;
    private List<String> listed;

    /** Two listed files of ten rows, and two unlisted ones with newer versions of them. */
    @BeforeEach
    void unlist() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        lake.entities.insertMany(20);
        listed = lake.flush();
        lake.entities.updateAll(host.connection);
        lake.flush().forEach(lake::unlist);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @Test
    void anObjectThatTheStoreCutShortIsNotListed() {
        assertNothingIsListed("the store holds 4 bytes of ", key -> {
            host.store().delete(key);
            host.store().putIfAbsent(key, new byte[] {'P', 'A', 'R', '1'});
        });
    }

    /** The second of two files, whose local copy changes while the first is uploaded. */
    @Test
    void aFileThatLostRowsOnTheWayIsNotListed() {
        assertNothingIsListed(" holds 1 rows of 10", key -> keepOneRowOfEachCopy());
    }

    private void assertNothingIsListed(String message, Consumer<String> afterPut) {
        List<String> objects = host.dataKeys();
        ObjectStore store = new WatchedStore(host.store(), new WatchedStore.Watcher() {
            @Override
            public void after(WatchedStore.Request request) {
                if (request.name().equals("put")) {
                    afterPut.accept(request.key());
                }
            }
        });
        CdcConfig config =
                lake.config.toBuilder().spillDirectory(spill().toString()).build();
        try (Reconciler reconciler = new Reconciler(config.validate(), PgDataSources.of(config), store, null)) {
            assertThatThrownBy(() -> reconciler.repair(BrokenLake.SCHEMA))
                    .isInstanceOf(CdcException.class)
                    .hasMessageContaining(message);
        }
        assertThat(host.listedKeys(BrokenLake.SCHEMA)).isEqualTo(listed);
        assertThat(host.dataKeys()).isEqualTo(objects);
    }

    private Path spill() {
        return folder.resolve("spill");
    }

    private void keepOneRowOfEachCopy() {
        try (Stream<Path> files = Files.walk(spill())) {
            for (Path copy : files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(".parquet"))
                    .toList()) {
                keepOneRow(copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void keepOneRow(Path copy) throws IOException {
        Path target = folder.resolve("one-row.parquet");
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement()) {
            statement.execute("COPY (FROM read_parquet(" + ExportSql.literal(copy.toString()) + ") LIMIT 1) TO "
                    + ExportSql.literal(target.toString()) + " (FORMAT PARQUET)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        Files.move(target, copy, StandardCopyOption.REPLACE_EXISTING);
    }
}
