package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.RowIdInterval;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An export of many rows whose ids were given, among others that were not: its rows, and what the server does for them. */
class GivenIdsIT {
    private static final int SCHEMA = 7;
    private static final int ROWS = 1_000;

    /** The least number that is most of the rows. */
    private static final int MOST = 800;

    @TempDir
    private Path folder;

    private TestHost host;
    private Entities entities;
    private CdcConfig config;

    @BeforeEach
    void open() throws SQLException {
        host = new TestHost();
        entities = new Entities(host, SCHEMA).insertMany(ROWS);
        config = host.config()
                .spillDirectory(folder.resolve("spill").toString())
                .build()
                .withDefaults();
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    private List<UUID> ids(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(entities::id).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "100, false",
        "700, false",
        "900, false",
        "1000, false",
        "100, true",
        "700, true",
        "900, true",
        "1000, true"
    })
    void itsRowsAreTheGivenOnes(int count, boolean live) throws SQLException {
        String file = folder.resolve("given.parquet").toString();
        try (DuckExporter exporter = DuckExporter.open(config, host.client)) {
            long rows = (live
                            ? exporter.exportBaseFileToTmp(
                                    host.connectionString(), file, SCHEMA, ids(count), Entities.ATTRIBUTES)
                            : exporter.exportSnapshotToTmp(
                                    host.connectionString(),
                                    file,
                                    SCHEMA,
                                    Long.MAX_VALUE,
                                    ids(count),
                                    Entities.ATTRIBUTES))
                    .rowCount();
            assertThat(rows).isEqualTo(count);
        }
        String given = ids(count).stream().map(id -> "'" + id + "'").collect(Collectors.joining(","));
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
            assertThat(TestHost.rows(
                            duckDb,
                            "SELECT row_id, title, amount, note, total FROM read_parquet('" + file
                                    + "') ORDER BY row_id"))
                    .isEqualTo(TestHost.rows(
                            host.connection,
                            "SELECT ltbase_row_id::text, text_01, bigint_01, max(value_text), max(value_numeric)::bigint"
                                    + " FROM entity_main JOIN eav_data ON row_id = ltbase_row_id WHERE ltbase_row_id IN ("
                                    + given + ") GROUP BY 1, 2, 3 ORDER BY 1"));
        }
    }

    @Test
    void whereTheyAreMostOfTheRowsAllAreReadInOneGo() throws SQLException {
        // Number of rows, their keys, number of entities, these, their attributes.
        assertThat(indexScans(MOST)).isEqualTo(5);
    }

    @Test
    void whereTheyAreFewerEachRowIsSought() throws SQLException {
        assertThat(indexScans(MOST - 1)).isEqualTo(1 + (MOST - 1) + 3);
    }

    @Test
    void ofFewIdsNothingIsCounted() throws SQLException {
        // Each for its row, for its entity, and on the other connection for its row and for its attributes.
        assertThat(indexScans(100)).isEqualTo(4 * 100);
    }

    private long indexScans(int count) throws SQLException {
        ExportedRows rows = new ExportedRows(
                PgQueries.ofDirtyRows(config, SCHEMA), GivenIds.of(ids(count)), List.of(RowIdInterval.ALL), count);
        IndexScans scans = IndexScans.of(host, config, rows, Entities.ATTRIBUTES);
        assertThat(scans.rows()).isEqualTo(count);
        return scans.scans();
    }
}
