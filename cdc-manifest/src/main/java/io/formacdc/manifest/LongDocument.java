package io.formacdc.manifest;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Reads a JSON object with long arrays, as strictly as {@link StrictJson#readObject}, and hands their elements over one
 * by one, so that all of them never lie in memory as trees. Confined to a thread.
 */
final class LongDocument {
    private final byte[] content;
    private final Set<String> arrays;
    private final Elements elements;
    private final Map<String, Repeated> repeated = new HashMap<>();

    /** What takes the elements. */
    @FunctionalInterface
    interface Elements {
        /**
         * Takes the next element of an array.
         *
         * @param begin of the element's first byte; negative if that is not known
         * @param end of the byte after its last one, if it is an object
         */
        void take(String array, JsonNode element, int begin, int end);
    }

    @FunctionalInterface
    private interface FieldValue {
        JsonNode read(String key) throws IOException;
    }

    /** The object that stood under a key last. */
    private record Repeated(JsonNode value, int begin, int end) {
        boolean standsAt(int at, byte[] content) {
            int last = at + end - begin;
            return at >= 0 && last <= content.length && Arrays.equals(content, begin, end, content, at, last);
        }
    }

    /** @param arrays keys of the long arrays */
    LongDocument(byte[] content, Set<String> arrays, Elements elements) {
        this.content = content;
        this.arrays = arrays;
        this.elements = elements;
    }

    /**
     * Reads to the end; the long arrays come back empty.
     *
     * @throws IOException whose message is what {@link StrictJson#problemOf} makes of it
     */
    ObjectNode read() throws IOException {
        try (JsonParser json = StrictJson.parser(content)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("is no JSON object");
            }
            ObjectNode object = readObject(json, key -> readAtTop(json, key));
            if (json.nextToken() != null) {
                throw new JsonParseException(json, "Trailing token after the object");
            }
            return object;
        }
    }

    private static ObjectNode readObject(JsonParser json, FieldValue value) throws IOException {
        ObjectNode object = StrictJson.newObject();
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String key = json.currentName();
            json.nextToken();
            if (object.replace(key, value.read(key)) != null) {
                throw new JsonParseException(json, "Duplicate field '" + key + "'");
            }
        }
        return object;
    }

    private JsonNode readAtTop(JsonParser json, String key) throws IOException {
        if (!json.hasToken(JsonToken.START_ARRAY) || !arrays.contains(key)) {
            return StrictJson.readValue(json);
        }
        while (json.nextToken() != JsonToken.END_ARRAY) {
            int begin = beginOf(json);
            JsonNode element = json.hasToken(JsonToken.START_OBJECT)
                    ? readObject(json, name -> readInElement(json, name))
                    : StrictJson.readValue(json);
            elements.take(key, element, begin, endOf(json));
        }
        return StrictJson.newArray();
    }

    /** What has the bytes of its counterpart in an element before is not decoded again, but shared with it. */
    private JsonNode readInElement(JsonParser json, String key) throws IOException {
        if (!json.hasToken(JsonToken.START_OBJECT)) {
            return StrictJson.readValue(json);
        }
        int begin = beginOf(json);
        Repeated last = repeated.get(key);
        if (last != null && last.standsAt(begin, content)) {
            json.skipChildren();
            return last.value();
        }
        JsonNode value = StrictJson.readValue(json);
        if (begin >= 0) {
            repeated.put(key, new Repeated(value, begin, endOf(json)));
        }
        return value;
    }

    private static int beginOf(JsonParser json) {
        return (int) json.currentTokenLocation().getByteOffset();
    }

    private static int endOf(JsonParser json) {
        return (int) json.currentLocation().getByteOffset();
    }
}
