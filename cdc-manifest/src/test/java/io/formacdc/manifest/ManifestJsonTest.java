package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.BUCKET;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.utf8;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.FileContents;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ManifestForm;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestJsonTest {
    private static final String TIERED = """
            {
              "schema_id": 7,
              "version": 12,
              "flush_seq": 9,
              "updated_at_ms": 1790000000000,
              "base": [
                {"path": "data/7/base-1.parquet", "min_row_id": "00000000-0000-0000-0000-000000000001", \
            "max_row_id": "ffffffff-ffff-ffff-ffff-ffffffffffff", "min_time_slot": 1, "max_time_slot": 9, \
            "size_bytes": 123, "level": "base", "row_count": 10, "checksum": "sha256:abc", \
            "columns": {"row_id": "UUID", "changed_at": "BIGINT"}}
              ],
              "delta": [],
              "retired": [
                {"path": "data/7/old.parquet", "retired_at_ms": 1},
                {"path": "data/7/older.parquet", "retired_at_ms": 0, "by": ["me", "you"]}
              ]
            }""";

    private static final String FILES = """
            {
              "schema_id": 7,
              "version": 12,
              "flush_seq": 9,
              "updated_at_ms": 1790000000000,
              "files": [
                {"tier": "delta", "path": "s3://lake/data/7/d.parquet", "row_id_min": "", "row_id_max": "", \
            "created_min": 1, "created_max": 9, "size_bytes": 0, "row_count": 10, "checksum": "sha256:abc", \
            "columns": {"row_id": "UUID"}},
                {"tier": "base", "path": "data/7/b.parquet"}
              ]
            }""";

    @ParameterizedTest
    @ValueSource(strings = {TIERED, FILES})
    void bothFormsComeBackByteForByte(String document) {
        assertThat(rewritten(document)).isEqualTo(document);
    }

    @Test
    void tieredFormIsReadFieldByField() {
        Manifest manifest = read(TIERED);

        assertThat(manifest.form()).isEqualTo(ManifestForm.TIERED);
        assertThat(manifest.version()).isEqualTo(12);
        assertThat(manifest.flushSeq()).isEqualTo(9);
        assertThat(manifest.updatedAtMillis()).isEqualTo(1_790_000_000_000L);
        assertThat(manifest.base())
                .containsExactly(new ManifestEntry(
                        "data/7/base-1.parquet",
                        "00000000-0000-0000-0000-000000000001",
                        "ffffffff-ffff-ffff-ffff-ffffffffffff",
                        1L,
                        9L,
                        123L,
                        "base",
                        10L,
                        "sha256:abc",
                        Map.of("row_id", "UUID", "changed_at", "BIGINT"),
                        Map.of()));
        assertThat(manifest.delta()).isEmpty();
        assertThat(manifest.retired())
                .containsExactly(
                        RetiredFile.of("data/7/old.parquet", 1),
                        new RetiredFile("data/7/older.parquet", 0, Map.of("by", "[\"me\",\"you\"]")));
    }

    @Test
    void filesFormIsReadIntoTheSameRecord() {
        Manifest manifest = read(FILES);

        assertThat(manifest.form()).isEqualTo(ManifestForm.FILES);
        assertThat(manifest.delta())
                .containsExactly(new ManifestEntry(
                        "s3://lake/data/7/d.parquet",
                        "",
                        "",
                        1L,
                        9L,
                        0L,
                        "delta",
                        10L,
                        "sha256:abc",
                        Map.of("row_id", "UUID"),
                        Map.of()));
        assertThat(manifest.delta().get(0).key()).isEqualTo("data/7/d.parquet");
        assertThat(manifest.lists("data/7/d.parquet")).isTrue();
        assertThat(manifest.base()).extracting(ManifestEntry::key).containsExactly("data/7/b.parquet");
    }

    @Test
    void filesFormWithoutFlushSeqCountsFromZero() {
        assertThat(read("""
                {"schema_id": 7, "version": 3, "updated_at_ms": 5, "files": [{"tier": "base", "path": "a"}]}""").flushSeq()).isZero();
    }

    @Test
    void whatIsNotKnownSurvivesAtEveryLevel() {
        String tiered = rewritten("""
                {"schema_id": 7, "owner": {"team": ["x", null]}, "archive": [{"path": "z"}],
                 "base": [{"path": "a", "bloom": 1.50, "level": "Base"}, {"path": "b", "level": "frozen"}],
                 "delta": [{"path": "c", "tier": "t"}],
                 "retired": [{"path": "d", "retired_at_ms": 1, "by": "me"}],
                 "orphans": [{"path": "o", "seen_at_ms": 2, "by": "me"}]}""");
        String files = rewritten("""
                {"schema_id": 7, "owner": 12345678901234567890, "files": [
                  {"tier": "Delta", "path": "a", "level": "x"}, {"tier": "archive", "path": "b"}, {"path": "c"}]}""");

        assertThat(oneLine(tiered))
                .contains("\"owner\": {\"team\": [\"x\",null]}")
                .contains("\"archive\": [{\"path\": \"z\"}]")
                .contains("{\"path\": \"a\",\"level\": \"Base\",\"bloom\": 1.50}")
                .contains("{\"path\": \"b\",\"level\": \"frozen\"}")
                .contains("{\"path\": \"c\",\"level\": \"delta\",\"tier\": \"t\"}")
                .contains("{\"path\": \"d\",\"retired_at_ms\": 1,\"by\": \"me\"}")
                .contains("{\"path\": \"o\",\"seen_at_ms\": 2,\"by\": \"me\"}");
        assertThat(oneLine(files))
                .contains("\"owner\": 12345678901234567890")
                .contains("{\"tier\": \"Delta\",\"path\": \"a\",\"level\": \"x\"}")
                .contains("{\"tier\": \"archive\",\"path\": \"b\"}");
        assertThat(rewritten(tiered)).isEqualTo(tiered);
        assertThat(rewritten(files)).isEqualTo(files);
    }

    @Test
    void entriesWithTheSameColumnsShareThemAndOthersHaveTheirOwn() {
        List<ManifestEntry> entries = read("""
                {"schema_id": 7, "base": [
                  {"path": "a", "columns": {"x": "UUID", "y": "BIGINT"}}, {"path": "b", "columns": {"x": "UUID", "y": "BIGINT"}},
                  {"path": "c", "columns": {"y": "BIGINT", "x": "UUID"}}, {"path": "d", "columns": {"y": "BIGINT", "x": "DATE"}},
                  {"path": "e", "columns": {"y": "BIGINT"}}, {"path": "f", "columns": {}}, {"path": "g"}]}""").base();

        assertThat(entries.get(1).columns()).isSameAs(entries.get(0).columns());
        assertThat(entries)
                .extracting(entry -> entry.columns().toString())
                .containsExactly(
                        "{x=UUID, y=BIGINT}",
                        "{x=UUID, y=BIGINT}",
                        "{y=BIGINT, x=UUID}",
                        "{y=BIGINT, x=DATE}",
                        "{y=BIGINT}",
                        "{}",
                        "{}");
    }

    @Test
    void tiersAreKnownInAnyCaseAndUnknownOnesAreListedStill() {
        Manifest manifest = read("""
                {"schema_id": 7, "files": [{"tier": "BASE", "path": "a"}, {"tier": "archive", "path": "b"}]}""");

        assertThat(manifest.base()).extracting(ManifestEntry::path).containsExactly("a");
        assertThat(manifest.delta()).isEmpty();
        assertThat(manifest.lists("b")).isTrue();
    }

    @Test
    void anEntryThatChangesItsTierLosesTheOldSpelling() {
        Manifest manifest = read("""
                {"schema_id": 7, "files": [{"tier": "Delta", "path": "a"}]}""");
        ManifestEntry promoted =
                manifest.entries().get(0).toBuilder().level(ManifestEntry.BASE).build();

        Manifest saved =
                read(write(manifest.toBuilder().entries(List.of(promoted)).build()));

        assertThat(saved.base()).hasSize(1);
        assertThat(saved.delta()).isEmpty();
    }

    @Test
    void aFileWithoutRowsIsWrittenWithoutBounds() {
        ManifestEntry empty =
                ManifestEntry.base("data/7/base-1.parquet", new FileContents(0, 5, "sha256:0", null, null, Map.of()));
        Manifest manifest = Manifest.empty(SCHEMA, ManifestForm.TIERED).toBuilder()
                .entries(List.of(empty))
                .build();

        assertThat(oneLine(write(manifest)))
                .contains("{\"path\": \"data/7/base-1.parquet\",\"size_bytes\": 5,\"level\": \"base\","
                        + "\"row_count\": 0,\"checksum\": \"sha256:0\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"schema_id\": 0, \"files\": null}",
                "{\"schema_id\": 7, \"base\": null, \"delta\": []}",
                "{\"schema_id\": 7, \"version\": null}"
            })
    void aDocumentWithoutEntriesIsStampedInMemory(String document) {
        Manifest manifest = read(document);

        assertThat(manifest.schemaId()).isEqualTo(SCHEMA);
        assertThat(manifest.entries()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"schema_id": 7}                                            | FILES
            {"schema_id": 7, "files": null}                             | FILES
            {"schema_id": 7, "delta": []}                               | TIERED
            {"schema_id": 7, "files": [], "base": [{"path": "a"}]}      | TIERED
            {"schema_id": 7, "base": [], "files": [{"path": "a"}]}      | FILES
            """)
    void formIsToldByTheArraysAndElseIsTheConfiguredOne(String document, ManifestForm form) {
        assertThat(new ManifestReader(SCHEMA, MANIFEST_KEY, BUCKET, ManifestForm.FILES)
                        .read(utf8(document))
                        .form())
                .isEqualTo(form);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                                                            | is no JSON object
            []                                                            | is no JSON object
            "x"                                                           | is no JSON object
            {"hello": "world"}                                            | is no manifest: it has none of the keys schema_id
            {"version": 1, "name": "somebody else's"}                     | is no manifest: it has none of the keys schema_id
            {"schema_id": 7                                               | is not valid JSON
            {"schema_id": 7} {}                                           | is not valid JSON
            {"schema_id": 7, "schema_id": 8}                              | is not valid JSON: Duplicate
            {"schema_id": 8, "base": []}                                  | belongs to schema 8
            {"schema_id": 8, "files": [{"path": "a"}]}                    | belongs to schema 8
            {"schema_id": -7}                                             | belongs to schema -7
            {"schema_id": 65543}                                          | belongs to schema 65543
            {"schema_id": "7"}                                            | schema_id that is not a 64-bit integer but string
            {"schema_id": 7.5}                                            | schema_id that is not a 64-bit integer but number
            {"schema_id": 0, "base": [{"path": "a"}]}                     | has entries and no schema_id
            {"files": [{"path": "a"}]}                                    | has entries and no schema_id
            {"schema_id": 7, "version": -1}                               | has version -1, which is out of range
            {"schema_id": 7, "flush_seq": 9223372036854775807}            | has flush_seq 9223372036854775807
            {"schema_id": 7, "updated_at_ms": 99999999999999999999}       | updated_at_ms that is not a 64-bit
            {"schema_id": 7, "base": {"path": "a"}}                       | has base that is not an array but object
            {"schema_id": 7, "base": ["a"]}                               | has base[0] that is not an object but string
            {"schema_id": 7, "base": [{"size_bytes": 1}]}                 | has an entry without path under "base"
            {"schema_id": 7, "files": [{"path": 1}]}                      | has path under "files" that is not text
            {"schema_id": 7, "files": [{"path": ""}]}                     | has a path under "files" that is empty
            {"schema_id": 7, "files": [{"path": "s3://lake/"}]}           | has a path under "files" that is empty
            {"schema_id": 7, "files": [{"path": "s3://lake"}]}            | is not in the bucket "lake"
            {"schema_id": 7, "files": [{"path": "s3://lakes/a"}]}         | is not in the bucket "lake": "s3://lakes/a"
            {"schema_id": 7, "files": [{"path": "s3://Lake/a"}]}          | is not in the bucket "lake"
            {"schema_id": 7, "files": [{"path": "gs://lake/a"}]}          | is not in the bucket "lake"
            {"schema_id": 7, "delta": [{"path": "a/../b"}]}               | holds ".."
            {"schema_id": 7, "delta": [{"path": "a/*.parquet"}]}          | is a glob
            {"schema_id": 7, "delta": [{"path": "a/?.parquet"}]}          | is a glob
            {"schema_id": 7, "delta": [{"path": "a/[0-9].parquet"}]}      | is a glob
            {"schema_id": 7, "delta": [{"path": "a\\u0000b"}]}            | holds a control character
            {"schema_id": 7, "base": [{"path": "a"}], "delta": [{"path": "a"}]} | path "a" is listed twice
            {"schema_id": 7, "base": [{"path": "a"}, {"path": "s3://lake/a"}]}  | path "s3://lake/a" is listed twice
            {"schema_id": 7, "base": [{"path": "a"}], "files": [{"path": "b"}]} | under "files" and under "base"
            {"schema_id": 7, "base": [{"path": "a", "size_bytes": "1"}]}        | has size_bytes of "a" that is not
            {"schema_id": 7, "base": [{"path": "a", "columns": {"c": 1}}]}      | has columns.c of "a" that is not text
            {"schema_id": 7, "base": [{"path": "a", "columns": {"c": "A"}}, {"path": "b", "columns": {"c": null}}]} | has columns.c of "b" that is not text but null
            {"schema_id": 7, "base": [{"path": "a", "columns": []}]}            | has columns of "a" that is not an object
            {"schema_id": 7, "retired": [{"path": "a"}]}                        | has "a" without retired_at_ms
            {"schema_id": 7, "orphans": [{"path": "a"}]}                        | has "a" without seen_at_ms
            {"schema_id": 7, "base": [{"path": "a"}], "orphans": [{"path": "a", "seen_at_ms": 1}]} | path "a" was found to be an orphan
            {"schema_id": 7, "retired": [{"path": "../a", "retired_at_ms": 1}]} | holds ".."
            {"schema_id": 7, "base": [{"path": "a"}], "retired": [{"path": "a", "retired_at_ms": 1}]} | path "a" is retired
            """)
    void whatCannotBeUsedIsRefusedByName(String document, String problem) {
        assertThatThrownBy(() -> read(document))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("manifest \"root/manifest/7.json\" of schema 7")
                .hasMessageContaining(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/7/a.parquet", "a b/ü.parquet", "s3:/lake/a", "{x}/a"})
    void anyOtherKeyIsTakenVerbatim(String path) {
        assertThat(read("{\"schema_id\": 7, \"files\": [{\"path\": \"" + path + "\"}]}")
                        .entries()
                        .get(0)
                        .key())
                .isEqualTo(path);
    }

    @Test
    void deepNestingIsRefusedAndDoesNotOverflow() {
        String deep = "{\"schema_id\": 7, \"x\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}";

        assertThatThrownBy(() -> read(deep))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("schema 7")
                .hasMessageContaining("nesting depth");
    }

    @Test
    void aDocumentBeyondTheLimitIsRefusedUnread() {
        assertThatThrownBy(() -> new ManifestReader(SCHEMA, MANIFEST_KEY, BUCKET, ManifestForm.TIERED)
                        .read(new byte[ManifestJson.MAX_BYTES + 1]))
                .isInstanceOf(InvalidManifestException.class)
                .hasMessageContaining("has 67108865 bytes")
                .hasMessageContaining("compact the schema");
    }

    @ParameterizedTest
    @EnumSource(ManifestForm.class)
    void aFormHasRoomForBothLevels(ManifestForm form) {
        Manifest manifest = Manifest.empty(SCHEMA, form).toBuilder()
                .entries(List.of(
                        ManifestEntry.delta("d", Manifests.contents()), ManifestEntry.base("b", Manifests.contents())))
                .build();

        Manifest saved = read(write(manifest));

        assertThat(saved.base()).extracting(ManifestEntry::path).containsExactly("b");
        assertThat(saved.delta()).extracting(ManifestEntry::path).containsExactly("d");
        assertThat(saved.form()).isEqualTo(form);
    }

    private static Manifest read(String document) {
        return new ManifestReader(SCHEMA, MANIFEST_KEY, BUCKET, ManifestForm.TIERED).read(utf8(document));
    }

    private static String write(Manifest manifest) {
        return new String(new ManifestWriter().write(manifest), UTF_8);
    }

    private static String rewritten(String document) {
        return write(read(document));
    }

    private static String oneLine(String document) {
        return document.replaceAll("\n *", "").replace(", ", ",");
    }
}
