package io.formacdc.manifest;

import static io.formacdc.manifest.Manifests.utf8;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A document read in parts is the one that is read as a whole. */
class LongDocumentTest {
    /** All elements, and the bytes at which they are said to stand. */
    private final List<JsonNode> elements = new ArrayList<>();

    private final List<byte[]> slices = new ArrayList<>();

    private ObjectNode read(byte[] content) throws IOException {
        return new LongDocument(content, Set.of("a", "b"), (array, element, begin, end) -> {
                    elements.add(element);
                    if (begin >= 0 && element.isObject()) {
                        slices.add(Arrays.copyOfRange(content, begin, end));
                    }
                })
                .read();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"a\":[]}",
                "{\"x\":{\"a\":[{}]},\"a\":{\"y\":[1]},\"b\":\"z\",\"c\":[{}]}",
                "\uFEFF{\"a\":[{\"k\":1}]}",
                "{\"ü€\uD83D\uDE00\":\"ü\",\"a\":[{\"€\":\"\uD83D\uDE00\"},{\"k\":{\"ü\":1}},{\"k\":{\"ü\":1}}]}",
                "\r\n{\r\n\t\"a\" : [ {\r\n\"k\" : 1.50 } ,\r\n { } ]\r\n}\r\n",
                "{\"a\":[{\"k\":{\"x\":1}},{\"k\":{\"x\":1}},{\"k\":{\"x\":1,\"y\":2}},{\"k\":{\"x\":1}}]}",
                "{\"a\":[{\"k\":{\"x\":1},\"l\":{\"x\":1}},{\"l\":{\"x\":1},\"k\":{\"x\":2}}],\"b\":[{\"k\":{\"x\":1}}]}",
                "{\"a\":[{\"k\":{\"x\":{}}},{\"k\":{\"x\":{}}},{\"k\":{\"x\":{}}}]}",
                "{\"a\":[1,null,\"x\",[{}],{\"k\":[{\"z\":1e400}]}],\"n\":12345678901234567890}"
            })
    void itsPartsMakeUpTheWhole(String document) throws IOException {
        ObjectNode whole = StrictJson.readObject(utf8(document));

        ObjectNode rest = read(utf8(document));

        List<JsonNode> expected = new ArrayList<>();
        for (String array : List.of("a", "b")) {
            if (whole.get(array) instanceof ArrayNode elementsOfWhole) {
                elementsOfWhole.forEach(expected::add);
                elementsOfWhole.removeAll();
            }
        }
        assertThat(elements).isEqualTo(expected);
        assertThat(rest).isEqualTo(whole);
        assertThat(rest.fieldNames()).toIterable().containsExactlyElementsOf(whole::fieldNames);
    }

    @Test
    void anElementStandsWhereItIsSaidToStandInBytes() throws IOException {
        read(
                utf8(
                        "\uFEFF{\"ü€\": \"\uD83D\uDE00\",\r\n \"a\": [ {\"€\" :1} ,{\"k\":{\"ü\":1}}\n,{\"k\":{\"ü\":1}}, 5, { }]}"));

        assertThat(slices)
                .extracting(slice -> new String(slice, UTF_8))
                .containsExactly("{\"€\" :1}", "{\"k\":{\"ü\":1}}", "{\"k\":{\"ü\":1}}", "{ }");
    }

    @Test
    void ofUtf16NoPlaceIsKnown() throws IOException {
        String document = "{\"a\": [{\"k\": {\"x\": 1}}, {\"k\": {\"x\": 1}}]}";

        read(document.getBytes(UTF_16BE));

        assertThat(elements).hasSize(2);
        assertThat(elements.get(1)).isEqualTo(elements.get(0));
        assertThat(slices).isEmpty();
    }

    @Test
    void anObjectThatStandsThereAgainIsShared() throws IOException {
        read(utf8("{\"a\": [{\"k\": {\"x\": 1}}, {\"k\": {\"x\": 1}}, {\"k\": {\"x\": 2}}]}"));

        assertThat(elements.get(1).get("k")).isSameAs(elements.get(0).get("k"));
        assertThat(elements.get(2).get("k").get("x").intValue()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"x\":1,\"x\":2}",
                "{\"a\":[],\"a\":[]}",
                "{\"a\":[{}],\"a\":1}",
                "{\"a\":[{\"k\":1,\"k\":1}]}",
                "{\"a\":[{\"k\":{\"x\":1,\"x\":1}}]}",
                "{\"a\":[{\"k\":{\"x\":1}},{\"k\":{\"x\":1},\"k\":{\"x\":1}}]}",
                "{\"a\":[{}]} {}",
                "{\"a\":[{}]} x",
                "{\"a\":[{}]",
                "{\"a\":[{}",
                "{\"a\":[{\"k\":{\"x\":1}},{\"k\":{\"x\":1}",
                "{\"a\":[{},]}",
                "{\"a\":[NaN]}",
                "{\"a\":",
                "{",
                "",
                "[{}]",
                "null"
            })
    void whatIsRefusedAsAWholeIsRefusedInParts(String document) {
        assertThatThrownBy(() -> StrictJson.readObject(utf8(document))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> read(utf8(document))).isInstanceOf(IOException.class);
    }
}
