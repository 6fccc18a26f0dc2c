package io.formacdc.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.formacdc.core.InvalidConfigException;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.MemoryObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Thousands of documents with something wrong in them, made from good ones by a seed: each is refused by the exception
 * for it, or read as something that can be written and read again.
 */
@Timeout(120)
class MutatedInputTest {
    private static final int MUTATIONS = 5_000;

    /** What is put into a document, besides single bytes. */
    private static final List<String> FRAGMENTS = List.of(
            "null",
            "-1",
            "9223372036854775808",
            "1e400",
            "\"\"",
            "{}",
            "[]",
            "[[[[[[[[",
            "{\"a\":",
            "\\u0000",
            "\\ud800",
            "\"../../etc\"",
            "\"s3://other/x\"",
            "'; DROP TABLE change_log; --",
            "\"*\"",
            ",",
            ":",
            "}",
            "]",
            "true",
            "\uFEFF",
            "\"path\"",
            "\"base\"",
            "1.5",
            "00",
            "NaN",
            "\"\\\"\"");

    private static byte[] mutate(byte[] good, Random random) {
        byte[] bytes = good.clone();
        for (int i = 0; i <= random.nextInt(3); i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes = concat(bytes, 0, at, "", Math.min(bytes.length, at + 1 + random.nextInt(20)));
                case 2 -> bytes = concat(bytes, 0, at, pick(FRAGMENTS, random), at);
                case 3 -> {
                    int end = Math.min(bytes.length, at + 1 + random.nextInt(12));
                    bytes = concat(bytes, 0, at, pick(FRAGMENTS, random), end);
                }
                default -> bytes = concat(bytes, 0, at, new String(bytes, UTF_8), at);
            }
            if (bytes.length == 0) {
                return bytes;
            }
        }
        return bytes;
    }

    private static byte[] concat(byte[] bytes, int from, int to, String middle, int then) {
        byte[] inserted = middle.getBytes(UTF_8);
        byte[] all = new byte[to - from + inserted.length + bytes.length - then];
        System.arraycopy(bytes, from, all, 0, to - from);
        System.arraycopy(inserted, 0, all, to - from, inserted.length);
        System.arraycopy(bytes, then, all, to - from + inserted.length, bytes.length - then);
        return all;
    }

    private static String pick(List<String> from, Random random) {
        return from.get(random.nextInt(from.size()));
    }

    @ParameterizedTest
    @EnumSource
    void aMutatedManifestIsRefusedOrIsAManifest(ManifestForm form) {
        byte[] good = new ManifestWriter()
                .write(Entries.manifest(
                                Entries.base(1, 1, 10, 1, 10), Entries.base(2, 11, 20, 1, 10), Entries.delta(3, 1, 5))
                        .toBuilder()
                        .form(form)
                        .retired(List.of(RetiredFile.of(Entries.baseKey(9), 5)))
                        .orphans(List.of(OrphanSighting.of(Entries.baseKey(8), 6)))
                        .build());
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutated = mutate(good, random);
            MemoryObjectStore objects = new MemoryObjectStore();
            objects.put(Manifests.MANIFEST_KEY, mutated);
            try {
                Manifest read = Manifests.store(objects).load(Manifests.SCHEMA).manifest();
                objects.put(Manifests.MANIFEST_KEY, new ManifestWriter().write(read));
                assertThat(Manifests.store(objects).load(Manifests.SCHEMA).manifest())
                        .as(new String(mutated, UTF_8))
                        .isEqualTo(read);
            } catch (InvalidManifestException e) {
                assertThat(e.getMessage()).contains(Manifests.MANIFEST_KEY);
                assertThat(objects.peek(Manifests.MANIFEST_KEY)).isEqualTo(mutated);
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("mutation " + i + ": " + new String(mutated, UTF_8), e);
            }
        }
        System.out.println("MutatedInputTest: " + form + ": " + MUTATIONS + " manifests, " + refused + " refused");
        assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - 1);
    }

    @Test
    void aMutatedDocumentIsTheSameInPartsAsInWhole() {
        byte[] good = """
            {"n": 1.50, "a": [{"p": "ü", "c": {"x": "A", "y": {"z": [1]}}}, {"p": "€", "c": {"x": "A", "y": {"z": [1]}}},
             {"p": null, "c": {"x": "A", "y": {"z": [1]}}, "d": {}}], "b": {"a": []}}\
            """.getBytes(UTF_8);
        Random random = new Random(13);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutated = mutate(good, random);
            Optional<ObjectNode> whole = read(() -> StrictJson.readObject(mutated));
            assertThat(read(() -> readInParts(mutated)))
                    .as(new String(mutated, UTF_8))
                    .isEqualTo(whole);
            refused += whole.isEmpty() ? 1 : 0;
        }
        assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - 1);
    }

    private static Optional<ObjectNode> read(Callable<ObjectNode> reading) {
        try {
            return Optional.of(reading.call());
        } catch (IOException e) {
            return Optional.empty();
        } catch (Exception e) {
            throw new AssertionError("only an IOException refuses", e);
        }
    }

    private static ObjectNode readInParts(byte[] content) throws IOException {
        ArrayNode elements = StrictJson.newArray();
        ObjectNode document =
                new LongDocument(content, Set.of("a"), (array, element, begin, end) -> elements.add(element)).read();
        if (document.get("a") instanceof ArrayNode array) {
            array.addAll(elements);
        }
        return document;
    }

    @Test
    void aMutatedAttributeFileIsRefusedOrHasAttributes(@TempDir Path folder) throws IOException {
        byte[] good = """
            {"title": {"attributeID": 1, "valueType": "text", "column_binding": {"col_name": "text_01"}},
             "active": {"attributeID": 2, "valueType": "bool",
                        "column_binding": {"col_name": "smallint_01", "encoding": "bool_smallint"}},
             "tags": {"attributeID": 3, "valueType": "list", "items_type": "bigint"},
             "old": {"attributeID": 5, "valueType": "text", "retired": true}}\
            """.getBytes(UTF_8);
        Path file = folder.resolve("note_attributes.json");
        Random random = new Random(12);
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] mutated = mutate(good, random);
            Files.write(file, mutated);
            FileSchemaRegistry registry = FileSchemaRegistry.load(folder, Map.of("note", 7));
            try {
                assertThat(registry.findAttributes(7)).isPresent();
                assertThat(registry.problems()).isEmpty();
            } catch (InvalidConfigException e) {
                assertThat(e.getMessage()).contains("note_attributes.json");
                assertThat(registry.problems()).isNotEmpty();
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("mutation " + i + ": " + new String(mutated, UTF_8), e);
            }
        }
        System.out.println("MutatedInputTest: " + MUTATIONS + " attribute files, " + refused + " refused");
        assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - 1);
    }
}
