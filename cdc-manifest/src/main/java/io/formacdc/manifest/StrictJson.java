package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** JSON without leniency: one value, no key twice, numbers exact, nesting bounded. */
final class StrictJson {
    private static final int MAX_NESTING = 100;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_NESTING)
                            // What can be written can be read again; the document as a whole is bounded elsewhere.
                            .maxStringLength(Integer.MAX_VALUE)
                            .maxNameLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    /** Of one value among others. */
    private static final ObjectReader VALUE = MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final Separators SPACED = Separators.createDefaultInstance()
            .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
            .withObjectEmptySeparator("")
            .withArrayEmptySeparator("");

    /** Two spaces, as Go's {@code MarshalIndent} is told to in the original. */
    private static final ObjectWriter INDENTED = MAPPER.writer(new DefaultPrettyPrinter(SPACED)
            .withObjectIndenter(new DefaultIndenter("  ", "\n"))
            .withArrayIndenter(new DefaultIndenter("  ", "\n")));

    private static final ObjectWriter IN_ONE_LINE =
            MAPPER.writer(new DefaultPrettyPrinter(SPACED.withObjectEntrySpacing(Separators.Spacing.AFTER)
                            .withArrayValueSpacing(Separators.Spacing.AFTER))
                    .withObjectIndenter(new DefaultPrettyPrinter.NopIndenter())
                    .withArrayIndenter(new DefaultPrettyPrinter.NopIndenter()));

    private StrictJson() {}

    static ObjectNode newObject() {
        return MAPPER.createObjectNode();
    }

    static ArrayNode newArray() {
        return MAPPER.createArrayNode();
    }

    /**
     * Reads one JSON object.
     *
     * @throws IOException whose message is what {@link #problemOf} makes of it
     */
    static ObjectNode readObject(byte[] content) throws IOException {
        if (MAPPER.readTree(content) instanceof ObjectNode object) {
            return object;
        }
        throw new IOException("is no JSON object");
    }

    /** A parser that stands before the first token. It does not notice a key that stands twice. */
    static JsonParser parser(byte[] content) throws IOException {
        return MAPPER.createParser(content);
    }

    /** Reads the value that a parser stands at, and no further. */
    static JsonNode readValue(JsonParser json) throws IOException {
        return VALUE.readTree(json);
    }

    static JsonNode readText(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("unknown key holds what is no JSON: " + problemOf(e), e);
        }
    }

    /** What writes one value. */
    @FunctionalInterface
    interface Content {
        void writeTo(JsonGenerator json) throws IOException;
    }

    static byte[] write(ObjectNode object) {
        return write(json -> json.writeTree(object));
    }

    static byte[] write(Content content) {
        return write(INDENTED, content);
    }

    static byte[] writeInOneLine(Content content) {
        return write(IN_ONE_LINE, content);
    }

    private static byte[] write(ObjectWriter writer, Content content) {
        try (SplicedBytes bytes = new SplicedBytes();
                JsonGenerator json = writer.createGenerator(bytes)) {
            content.writeTo(json);
            json.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("JSON cannot be written to memory", e);
        }
    }

    /** Writes a value that is written already, or several with what separates them; returns where they begin. */
    static int writeWritten(JsonGenerator json, ByteBuffer values) throws IOException {
        json.writeRawValue(""); // what separates it from the value before
        json.flush();
        SplicedBytes bytes = (SplicedBytes) json.getOutputTarget();
        int begin = bytes.size();
        bytes.splice(values);
        return begin;
    }

    /** What is wrong, and where. */
    static String problemOf(IOException e) {
        if (e instanceof JsonProcessingException json) {
            return "is not valid JSON: " + json.getOriginalMessage()
                    + Optional.ofNullable(json.getLocation())
                            .map(at -> " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")")
                            .orElse("");
        }
        return String.valueOf(e.getMessage());
    }
}
