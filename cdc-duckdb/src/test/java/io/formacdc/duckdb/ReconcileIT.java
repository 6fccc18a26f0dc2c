package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.formacdc.core.BaseExportOptions;
import io.formacdc.core.CdcConfig;
import io.formacdc.core.FileContents;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.duckdb.ReconcileReport.Depth;
import io.formacdc.duckdb.ReconcileReport.Finding;
import io.formacdc.duckdb.ReconcileReport.Kind;
import io.formacdc.manifest.ManifestEntry;
import io.formacdc.manifest.OrphanSighting;
import io.formacdc.manifest.RetiredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every kind of finding, on a lake that was really broken. */
final class ReconcileIT {
    @TempDir
    private Path folder;

    private TestHost host;
    private BrokenLake lake;
    /** Two chunks of ten rows, side by side, and what was changed after them. */
    private String first;

    private String second;
    private String changes;

    @BeforeEach
    void flushTwice() throws SQLException {
        host = new TestHost();
        lake = new BrokenLake(host, folder);
        lake.entities.insertMany(20);
        List<String> keys = lake.flush();
        first = keys.get(0);
        second = keys.get(1);
        lake.entities.update(host.connection, lake.entities.id(1), Entities.FIRST_VERSION + 100);
        lake.entities.delete(host.connection, lake.entities.id(2), Entities.FIRST_VERSION + 101);
        changes = lake.flush().get(0);
    }

    @AfterEach
    void close() throws SQLException {
        host.close();
    }

    @ParameterizedTest
    @EnumSource
    void aCleanLakeHasNoFinding(Depth depth) {
        ReconcileReport report = check(depth);
        assertThat(report.findings()).isEmpty();
        assertThat(report.explain()).startsWith("schema 7: all is well");
    }

    @Test
    void aCleanLakeWithoutMetadataHasNoFinding() throws SQLException {
        new Entities(host, 8).insertMany(3);
        Cdc.runOnce(lake.config, host.client, false, null);
        assertThat(Cdc.reconcile(lake.config, host.client, 8, Depth.CONTENTS).findings())
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whereNothingIsAtAllThatIsNotCalledWell(Depth depth) {
        ReconcileReport report = Cdc.reconcile(lake.config, host.client, 9, depth);
        assertThat(report.isClean()).isFalse();
        assertThat(report.explain())
                .doesNotContain("all is well")
                .contains("nothing there", "/manifest/9.json", "no object under \"" + lake.config.s3Prefix() + "/9/\"");
    }

    @ParameterizedTest
    @EnumSource
    void anotherPrefixThanThatOfTheFilesIsNotCalledWell(Depth depth) {
        CdcConfig wrong = lake.config.toBuilder().s3Prefix("elsewhere").build();
        ReconcileReport report = Cdc.reconcile(wrong, host.client, 7, depth);
        assertThat(report.isClean()).isFalse();
        assertThat(report.findings()).extracting(Finding::kind).containsExactly(Kind.NOTHING_THERE);
        assertThat(report.explain()).contains("\"elsewhere/7/\"", "check s3Prefix");
    }

    @Test
    void aCheckChangesNoByte() throws Exception {
        lake.unlist(first);
        host.store().delete(second);
        lake.copy(changes, "U.parquet");
        List<ObjectInfo> objects = host.objects();
        String tables = host.tables();
        assertThat(check(Depth.CONTENTS).isClean()).isFalse();
        assertThat(check(Depth.LISTING).isClean()).isFalse();
        assertThat(host.objects()).isEqualTo(objects);
        assertThat(host.tables()).isEqualTo(tables);
    }

    @Test
    void aMissingObject() {
        host.store().delete(first);
        assertThat(check(Depth.LISTING).findings())
                .containsExactly(new Finding(
                        first,
                        Kind.MISSING,
                        "there is no such object",
                        "restore the object from a version or a backup, or have a base export with replacingDeltas()"
                                + " list anew what PostgreSQL has"));
        assertFinds(Kind.MISSING, first);
    }

    @Test
    void whereEveryListedObjectIsMissingAnExportIsNamedAndCuresIt() {
        List.of(first, second, changes).forEach(host.store()::delete);
        assertThat(check(Depth.LISTING).findings())
                .extracting(Finding::kind)
                .containsOnly(Kind.MISSING)
                .hasSize(3);
        Cdc.exportBase(lake.config, host.client, 7, BaseExportOptions.DEFAULTS.replacingDeltas(), Entities.REGISTRY);
        assertThat(check(Depth.CONTENTS).isClean()).isTrue();
    }

    @Test
    void aTruncatedObject() throws IOException {
        byte[] content = host.store().get(first).content();
        lake.write(first, Arrays.copyOf(content, content.length / 2));
        assertThat(check(Depth.LISTING).findings()).extracting(Finding::kind).containsExactly(Kind.WRONG_SIZE);
        assertFinds(Kind.WRONG_SIZE, first);
    }

    @Test
    void aFlippedByte() throws IOException {
        byte[] content = host.store().get(first).content();
        content[content.length / 2] ^= 1;
        lake.write(first, content);
        assertThat(check(Depth.LISTING).findings()).isEmpty();
        assertFinds(Kind.WRONG_CHECKSUM, first);
    }

    @Test
    void anObjectThatIsNoParquet() throws IOException {
        lake.write(first, "no Parquet".getBytes(StandardCharsets.UTF_8));
        lake.relist(first, e -> e.sizeBytes(null).checksum(null));
        assertFinds(Kind.UNREADABLE, first);
    }

    @Test
    void aFileWithoutASystemColumn() throws SQLException {
        lake.rewrite(first, "SELECT * EXCLUDE (changed_at) FROM f");
        lake.relist(first, e -> e.sizeBytes(null).checksum(null));
        assertThat(assertFinds(Kind.UNREADABLE, first).problem()).contains("column changed_at must be of type BIGINT");
    }

    @Test
    void aFileOfAnotherSchema() throws SQLException {
        lake.rewrite(first, "SELECT * REPLACE (8::SMALLINT AS schema_id) FROM f");
        lake.relist(first, e -> e.sizeBytes(null).checksum(null));
        assertThat(assertFinds(Kind.FOREIGN_ROWS, first).problem()).startsWith("10 of its rows");
    }

    @Test
    void aWrongRowCount() {
        lake.relist(first, e -> e.rowCount(11L));
        assertThat(assertFinds(Kind.WRONG_ROW_COUNT, first).problem()).isEqualTo("it has 10 rows, not 11");
    }

    @Test
    void wrongBoundsOfRowIds() {
        lake.relist(first, e -> e.maxRowId("ffffffff-ffff-ffff-ffff-ffffffffffff"));
        assertFinds(Kind.WRONG_BOUNDS, first);
    }

    @Test
    void wrongBoundsOfVersions() {
        lake.relist(first, e -> e.minTimeSlot(1L));
        assertFinds(Kind.WRONG_BOUNDS, first);
    }

    @Test
    void wrongColumns() {
        lake.relist(first, e -> e.columns(Map.of("row_id", "UUID")));
        assertFinds(Kind.WRONG_COLUMNS, first);
    }

    @Test
    void whatAnEntryLeavesOutIsNotWrong() {
        lake.relist(
                first,
                e -> e.columns(Map.of())
                        .rowCount(null)
                        .minRowId(null)
                        .maxRowId(null)
                        .minTimeSlot(null)
                        .maxTimeSlot(null)
                        .checksum(null)
                        .sizeBytes(null));
        assertThat(check(Depth.CONTENTS).findings()).isEmpty();
    }

    @Test
    void aBaseTierWithOverlapRowsTwiceAndTombstones() {
        for (String key : List.of(first, second, changes)) {
            lake.relist(key, e -> e.level(ManifestEntry.BASE));
        }
        List<Finding> findings = check(Depth.CONTENTS).findings();
        assertThat(findings)
                .extracting(Finding::kind)
                .containsOnly(Kind.BASE_OVERLAP, Kind.BASE_TOMBSTONE, Kind.BASE_ROW_TWICE);
        assertThat(findings)
                .filteredOn(f -> f.kind() == Kind.BASE_TOMBSTONE)
                .extracting(Finding::key, Finding::problem)
                .containsExactly(tuple(changes, "it has 1 tombstone"));
        assertThat(findings)
                .filteredOn(f -> f.kind() == Kind.BASE_ROW_TWICE)
                .extracting(Finding::problem)
                .singleElement()
                .asString()
                .startsWith("2 rows are in several base files");
    }

    @Test
    void baseFilesSideBySideAreInOrder() {
        lake.relist(first, e -> e.level(ManifestEntry.BASE));
        lake.relist(second, e -> e.level(ManifestEntry.BASE));
        assertThat(check(Depth.CONTENTS).findings()).isEmpty();
    }

    @Test
    void aBaseFileWithARowTwice() throws SQLException {
        lake.rewrite(first, "FROM f UNION ALL (FROM f LIMIT 1)");
        lake.relist(
                first,
                e -> e.level(ManifestEntry.BASE).sizeBytes(null).checksum(null).rowCount(11L));
        assertFinds(Kind.BASE_ROW_TWICE, first);
    }

    @Test
    void objectsTooManyAreNamedByTheirShape() {
        String flushed = lake.copy(first, "U.parquet");
        String base = lake.copy(first, "base-U.parquet");
        String staged = lake.copy(first, "_tmp/U.parquet");
        String unknown = lake.copy(first, "base-U.parquet.bak");
        String retired = lake.copy(first, "delta-U.parquet");
        String sighted = lake.copy(first, "U.parquet");
        lake.change(m -> m.toBuilder()
                .retired(List.of(RetiredFile.of(retired, 1)))
                .orphans(List.of(OrphanSighting.of(sighted, 1)))
                .build());
        ReconcileReport report = check(Depth.CONTENTS);
        assertThat(report.isClean()).as("a base is there, and none is listed").isFalse();
        Map<String, Kind> kinds = new TreeMap<>();
        report.findings().forEach(finding -> kinds.put(finding.key(), finding.kind()));
        assertThat(kinds)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        flushed, Kind.UNLISTED,
                        base, Kind.LOST_BASE,
                        staged, Kind.STAGED,
                        unknown, Kind.UNKNOWN,
                        retired, Kind.RETIRED,
                        sighted, Kind.SIGHTED));
        assertThat(check(Depth.LISTING).findings()).extracting(Finding::kind).containsAll(kinds.values());
        assertThat(report.explain()).contains("1 of 6 are damage").contains(unknown);
    }

    @Test
    void anUnlistedObjectThatIsNoParquet() throws IOException {
        String key = lake.copy(first, "U.parquet");
        lake.write(key, new byte[] {1, 2, 3});
        assertThat(check(Depth.CONTENTS).findings())
                .singleElement()
                .satisfies(f -> assertThat(f.problem()).startsWith("it is not listed and cannot be used"));
    }

    @Test
    void rowsThatNoListedFileCovers() {
        lake.unlist(first);
        assertThat(assertFinds(Kind.UNCOVERED_ROWS, first).cure()).isEqualTo("a repair lists them");
    }

    @Test
    void aRowIsCoveredByANewerVersionAndNotByAnOlderOne() {
        lake.unlist(changes);
        assertThat(assertFinds(Kind.UNCOVERED_ROWS, changes).problem())
                .startsWith("2 of its rows are in no listed file: 1 lost row, 1 lost delete,");
        lake.list(ManifestEntry.delta(changes, contents(changes)));
        lake.unlist(first);
        // Of the rows of both chunks, the changes cover those of theirs that are in this one.
        long inChanges = List.of(1, 2).stream().filter(n -> isIn(first, n)).count();
        assertThat(assertFinds(Kind.UNCOVERED_ROWS, first).problem()).startsWith((10 - inChanges) + " of its rows");
    }

    @Test
    void dirtyRowsNeedNoListedFile() throws SQLException {
        lake.unlist(first);
        lake.entities.updateAll(host.connection);
        assertThat(check(Depth.CONTENTS).isClean()).isTrue();
    }

    @Test
    void noManifestBesideObjects() {
        host.store().delete(lake.manifestKey());
        assertFinds(Kind.NO_MANIFEST, lake.manifestKey());
    }

    @Test
    void aManifestOfAnotherSchemaIsAnError() throws IOException {
        lake.write(lake.manifestKey(), "{\"schema_id\": 8, \"delta\": []}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> check(Depth.LISTING)).isInstanceOf(InvalidManifestException.class);
        assertThatThrownBy(() -> Cdc.repair(lake.config, host.client, 7)).isInstanceOf(InvalidManifestException.class);
    }

    @Test
    void withoutManifestsThereIsNothingToReconcile() {
        assertThatThrownBy(() -> Reconciler.create(
                        lake.config.toBuilder().manifestPrefix("").build(), host.client))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("nothing to reconcile");
    }

    @Test
    void whatIsListedDuringTheCheckIsNotCalledLost() {
        ManifestEntry entry = lake.entry(first);
        lake.unlist(first);
        HookedStore store = new HookedStore(host.store());
        List<String> listings = new ArrayList<>();
        store.beforeList = () -> {
            if (listings.isEmpty()) {
                lake.list(entry);
            }
            listings.add("");
        };
        try (Reconciler reconciler =
                new Reconciler(lake.config.validate(), PgDataSources.of(lake.config), store, null)) {
            assertThat(reconciler.check(7, Depth.CONTENTS).findings()).isEmpty();
        }
        assertThat(listings).hasSize(2);
    }

    private ReconcileReport check(Depth depth) {
        return Cdc.reconcile(lake.config, host.client, 7, depth);
    }

    private Finding assertFinds(Kind kind, String key) {
        List<Finding> findings = check(Depth.CONTENTS).findings();
        assertThat(findings).extracting(Finding::kind, Finding::key).containsExactly(tuple(kind, key));
        return findings.get(0);
    }

    private FileContents contents(String key) {
        Path file = folder.resolve("listed.parquet");
        host.store().download(key, file);
        try (InterruptWatch watch = InterruptWatch.open();
                FileScan scan = FileScan.open(lake.config, 7, watch)) {
            Path copy = Files.copy(file, scan.newFile());
            return scan.facts(copy).contents();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isIn(String key, int n) {
        String id = lake.entities.id(n).toString();
        String min = lake.entry(second).minRowId();
        boolean inSecond = min != null && id.compareTo(min) >= 0;
        return key.equals(second) == inSecond;
    }
}
