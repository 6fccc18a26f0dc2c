package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.BUCKET;
import static io.formacdc.manifest.Manifests.MANIFEST_KEY;
import static io.formacdc.manifest.Manifests.SCHEMA;
import static io.formacdc.manifest.Manifests.flushed;
import static io.formacdc.manifest.Manifests.keysOf;
import static io.formacdc.manifest.Manifests.utf8;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.formacdc.core.FileLog.Appender;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.MemoryObjectStore;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries that stay are saved with the very bytes with which they were loaded, and all others right. */
class VerbatimEntriesTest {
    private static final String ODD = """
            { "path" :"a/ü€\uD83D\uDE00" ,\t"row_count": 7, "size_bytes": 10,
                "later": [1.50, 1E+2, -0.0, "\\u00fc\\/", {"k" : { } }],"columns":{"z" : "UUID",
              "a":"BIGINT"}, "level":"%s" }""";

    private final MemoryObjectStore objects = Manifests.objectsWithAnyFile();
    private final ManifestStore store = Manifests.store(objects);

    private String saved() {
        return new String(objects.peek(MANIFEST_KEY), UTF_8);
    }

    private void put(String document) {
        objects.put(MANIFEST_KEY, utf8(document));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%s",
                "\uFEFF%s",
                "\r\n\t %s \r\n",
            })
    void anAppendKeepsAllThatIsListed(String around) {
        String entries = ODD.formatted("delta") + "\t,\n\n {\"path\":\"b\"},{ \"path\" : \"c\", \"checksum\": null }";
        put(around.formatted("{\"ü€\uD83D\uDE00\" : 1, \"delta\" : [\n" + entries
                + " \n] , \"schema_id\" : 7, \"base\":[{\"path\":\"d\"  }],\"version\":3}"));
        ManifestEntry odd = store.load(SCHEMA).manifest().delta().get(0);

        Appender appender = new ManifestFileLog(store).open(SCHEMA);
        appender.append(flushed(1));
        appender.append(flushed(2));

        assertThat(saved()).contains(entries + ",\n    {\"path\": ").contains("    {\"path\":\"d\"  }\n");
        Manifest manifest = store.load(SCHEMA).manifest();
        assertThat(manifest.version()).isEqualTo(5);
        assertThat(keysOf(manifest))
                .containsExactly(
                        "d", odd.path(), "b", "c", flushed(1).key(), flushed(2).key());
        assertThat(manifest.delta().get(0)).isEqualTo(odd);
        assertThat(odd.path()).isEqualTo("a/ü€\uD83D\uDE00");
        assertThat(manifest.unknownKeys()).containsEntry("ü€\uD83D\uDE00", "1");
    }

    @Test
    void anAppendKeepsALineWithoutSpaces() {
        String entry = "{\"tier\":\"Delta\",\"path\":\"a\",\"x\":{\"tier\":[]}}";
        put("{\"files\":[" + entry + "],\"schema_id\":7}");

        new ManifestFileLog(store).open(SCHEMA).append(flushed(1));

        assertThat(saved()).contains("\"files\": [\n    " + entry + ",\n    {\"tier\": \"delta\", ");
    }

    @Test
    void linesThatEndAsOnWindowsStayBetweenWhatStays() {
        put("{\r\n\"schema_id\": 7,\r\n\"base\": [\r\n{\"path\": \"a\",\r\n \"x\": 1},\r\n{\"path\": \"b\"}\r\n]\r\n}");

        new ManifestFileLog(store).open(SCHEMA).append(flushed(1));

        assertThat(saved()).contains("{\"path\": \"a\",\r\n \"x\": 1},\r\n{\"path\": \"b\"}\n  ],");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16BE", "UTF-16LE", "UTF-32BE"})
    void anotherEncodingIsWrittenAnew(Charset encoding) {
        String bom = encoding.equals(UTF_16BE) ? "\uFEFF" : ""; // the others are told by their zeros
        String document = bom + "{\"schema_id\": 7, \"delta\": [" + ODD.formatted("delta") + ", {\"path\":\"b\"}]}";
        objects.put(MANIFEST_KEY, document.getBytes(encoding));
        List<ManifestEntry> before = store.load(SCHEMA).manifest().entries();

        new ManifestFileLog(store).open(SCHEMA).append(flushed(1));

        assertThat(saved()).startsWith("{\n  \"schema_id\": 7,");
        assertThat(before).hasSize(2);
        assertThat(store.load(SCHEMA).manifest().entries()).hasSize(3).startsWith(before.toArray(ManifestEntry[]::new));
    }

    @Test
    void whatOthersSavedMeanwhileIsKeptAsTheyWroteIt() {
        put("{\"schema_id\": 7, \"delta\": [{\"path\":\"a\"}]}");
        Appender appender = new ManifestFileLog(store).open(SCHEMA);
        objects.beforeCall(0, () -> put("{\"schema_id\": 7, \"base\": [{\"path\":\"z\"  }],\"delta\": []}"));

        appender.append(flushed(1));

        assertThat(saved()).contains("    {\"path\":\"z\"  }\n");
        assertThat(keysOf(store.load(SCHEMA).manifest()))
                .containsExactly("z", flushed(1).key());
    }

    @Test
    void anEntryWhoseColumnsHaveAnotherOrderIsAnother() {
        put("{\"schema_id\": 7, \"base\": [{\"path\": \"a\", \"columns\": {\"x\": \"UUID\", \"y\": \"DATE\"}}]}");
        Map<String, String> turned = new LinkedHashMap<>();
        turned.put("y", "DATE");
        turned.put("x", "UUID");

        store.update(SCHEMA, Manifests.change("another order", manifest -> {
            ManifestEntry entry = manifest.entries().get(0);
            return manifest.toBuilder()
                    .entries(List.of(entry.toBuilder().columns(turned).build()))
                    .build();
        }));

        assertThat(saved()).contains("{\"y\": \"DATE\", \"x\": \"UUID\"}");
    }

    @Test
    void whatIsSpacedTooWidelyToBeKeptIsWrittenCloseTogether() {
        String wide = " ".repeat(ManifestJson.MAX_BYTES - 200);
        put("{\"schema_id\": 7, \"base\": [{\"path\": \"a\"}," + wide + "{\"path\": \"b\"}]}");

        new ManifestFileLog(store).open(SCHEMA).append(flushed(1));

        assertThat(saved()).hasSizeLessThan(1_000);
        assertThat(keysOf(store.load(SCHEMA).manifest()))
                .containsExactly("a", "b", flushed(1).key());
    }

    @ParameterizedTest
    @EnumSource
    void aSavedManifestIsTheOneThatWasMeant(ManifestForm form) {
        Random random = new Random(5);
        List<ManifestEntry> entries = new ArrayList<>();
        int kept = 0;
        byte[] document = utf8("{\"schema_id\": 7}");
        for (int i = 1; i <= 120; i++) {
            ManifestWriter writer = new ManifestWriter();
            Manifest loaded = reader(form).read(spaced(document, random), writer);
            List<ManifestEntry> next = new ArrayList<>(loaded.entries());
            for (int saves = 0; saves <= random.nextInt(3); saves++) {
                next = changed(next, random, 10 * i + saves);
                Manifest meant =
                        loaded.toBuilder().form(form).version(i).entries(next).build();
                document = writer.write(meant);
                Manifest found = reader(form).read(document);
                assertThat(found.base()).isEqualTo(meant.base());
                assertThat(found.delta()).isEqualTo(meant.delta());
                assertThat(found.toBuilder().entries(next).build()).isEqualTo(meant);
                kept += new String(document, UTF_8).contains("\t:") ? 1 : 0;
            }
            entries = next;
        }
        assertThat(entries).hasSizeGreaterThan(30);
        assertThat(kept).isGreaterThan(60);
    }

    private static ManifestReader reader(ManifestForm form) {
        return new ManifestReader(SCHEMA, MANIFEST_KEY, BUCKET, form);
    }

    /** The same document as others might write it. */
    private static byte[] spaced(byte[] document, Random random) {
        String text = new String(document, UTF_8).replace("\": ", random.nextBoolean() ? "\":" : "\"\t:");
        return utf8((random.nextBoolean() ? "\uFEFF" : "") + text.replace("\n", random.nextBoolean() ? "\r\n" : ""));
    }

    private static List<ManifestEntry> changed(List<ManifestEntry> before, Random random, int number) {
        List<ManifestEntry> entries = new ArrayList<>(before);
        int any = entries.isEmpty() ? 0 : random.nextInt(entries.size());
        int change = entries.isEmpty() ? 9 : random.nextInt(10);
        switch (change) {
            case 0 -> entries.remove(any);
            case 1 -> entries.add(random.nextInt(entries.size()), entries.remove(any));
            case 2 ->
                entries.set(
                        any,
                        entries.get(any).toBuilder()
                                .level(random.nextBoolean() ? ManifestEntry.BASE : ManifestEntry.DELTA)
                                .build());
            case 3 ->
                entries.set(
                        any,
                        entries.get(any).toBuilder()
                                .unknownKeys(Map.of("ü", "{\"€\":[1.50]}"))
                                .build());
            default ->
                entries.add(
                        random.nextInt(4) == 0 ? any : entries.size(),
                        random.nextBoolean() ? Entries.delta(number, 1, 5) : Entries.base(number, 1, 2, 1, 10));
        }
        return entries;
    }
}
