package io.formacdc.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.formacdc.core.InvalidManifestException;
import io.formacdc.core.ManifestForm;
import io.formacdc.core.SchemaIds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads the document of one schema, in either form, and refuses what cannot be used. Entries come one by one, each as a
 * tree. Known keys are taken out of a tree; what is left over is unknown, and kept. Confined to a thread.
 */
final class ManifestReader {
    /** A document with other keys alone is somebody else's. */
    private static final List<String> OWN_KEYS = List.of("schema_id", "base", "delta", "files", "flush_seq");

    private static final Set<String> ENTRY_ARRAYS = Set.of("base", "delta", "files");

    private final int schemaId;
    private final String manifestKey;
    private final String bucket;
    private final ManifestForm newForm;
    /** Of the entry read last: most files of a schema have the same, and share them. */
    private FrozenMap lastColumns = FrozenMap.copyOf(Map.of());

    private @Nullable JsonNode lastColumnsRead;

    /** @param newForm the form of a document without entries, which may lack the arrays that tell it */
    ManifestReader(int schemaId, String manifestKey, String bucket, ManifestForm newForm) {
        this.schemaId = schemaId;
        this.manifestKey = manifestKey;
        this.bucket = bucket;
        this.newForm = newForm;
    }

    /**
     * The schema that a document names.
     *
     * @throws InvalidManifestException if it names none
     */
    static int schemaIdOf(byte[] content, String manifestKey) {
        try {
            JsonNode id = StrictJson.readObject(content).path("schema_id");
            if (id.isIntegralNumber() && id.canConvertToInt()) {
                return SchemaIds.check(id.intValue());
            }
            throw new InvalidManifestException("manifest \"" + manifestKey + "\" names no schema_id");
        } catch (IOException e) {
            throw new InvalidManifestException("manifest \"" + manifestKey + "\" " + StrictJson.problemOf(e), e);
        } catch (IllegalArgumentException e) {
            throw new InvalidManifestException("manifest \"" + manifestKey + "\": " + e.getMessage(), e);
        }
    }

    /** @throws InvalidManifestException naming schema, key and what is wrong */
    Manifest read(byte[] content) {
        return read(content, new ManifestWriter());
    }

    /**
     * As {@link #read(byte[])}, for a manifest that will be saved.
     *
     * @param writer that starts from the content, which nobody changes any more
     */
    Manifest read(byte[] content, ManifestWriter writer) {
        if (content.length > ManifestJson.MAX_BYTES) {
            throw invalid(ManifestJson.tooLarge(content.length), null);
        }
        try {
            Map<String, LocatedEntries> arrays = new HashMap<>();
            LongDocument document = new LongDocument(content, ENTRY_ARRAYS, (array, element, begin, end) -> {
                LocatedEntries located = arrays.computeIfAbsent(array, name -> new LocatedEntries());
                ObjectNode node = object(element, array, located.entries().size());
                located.add(readEntry(node, array), begin, end);
            });
            Manifest manifest = read(document.read(), arrays);
            writer.startFrom(content, arrays);
            return manifest;
        } catch (IOException e) {
            throw invalid(StrictJson.problemOf(e), e);
        } catch (IllegalArgumentException e) {
            throw invalid("cannot be used: " + e.getMessage(), e);
        }
    }

    private Manifest read(ObjectNode root, Map<String, LocatedEntries> arrays) {
        if (!root.isEmpty() && OWN_KEYS.stream().noneMatch(root::has)) {
            throw invalid("is no manifest: it has none of the keys " + String.join(", ", OWN_KEYS), null);
        }
        ManifestForm form = formOf(root, arrays.keySet());
        List<ManifestEntry> entries = new ArrayList<>();
        for (String array : ManifestJson.arraysOf(form)) {
            takeArray(root, array); // refuses what is none; the elements of an array are out of it
            if (arrays.containsKey(array)) {
                entries.addAll(arrays.get(array).entries());
            }
        }
        checkSchemaId(takeLong(root, "schema_id", ""), entries.isEmpty());
        List<RetiredFile> retired = new ArrayList<>();
        int i = 0;
        for (JsonNode node : takeArray(root, "retired")) {
            retired.add(readRetired(object(node, "retired", i++)));
        }
        List<OrphanSighting> orphans = new ArrayList<>();
        i = 0;
        for (JsonNode node : takeArray(root, "orphans")) {
            orphans.add(readOrphan(object(node, "orphans", i++)));
        }
        return new Manifest(
                schemaId,
                takeCounter(root, "version"),
                takeCounter(root, "flush_seq"),
                takeCounter(root, "updated_at_ms"),
                entries,
                retired,
                orphans,
                form,
                textByKey(root));
    }

    private ManifestForm formOf(ObjectNode root, Set<String> filledArrays) {
        Predicate<String> isFilled =
                key -> filledArrays.contains(key) || !root.path(key).isEmpty();
        boolean tiered = isFilled.test("base") || isFilled.test("delta");
        boolean files = isFilled.test("files");
        if (tiered && files) {
            throw invalid("lists entries under \"files\" and under \"base\" or \"delta\" as well", null);
        }
        if (tiered || files) {
            return tiered ? ManifestForm.TIERED : ManifestForm.FILES;
        }
        if (root.has("files")) {
            return ManifestForm.FILES;
        }
        return root.has("base") || root.has("delta") ? ManifestForm.TIERED : newForm;
    }

    /** A document without a stamp and without entries belongs to whoever finds it; the next save stamps it. */
    private void checkSchemaId(@Nullable Long stamped, boolean noEntries) {
        if (stamped == null || stamped == 0) {
            if (!noEntries) {
                throw invalid("has entries and no schema_id, so that its owner is not known", null);
            }
        } else if (stamped != schemaId) {
            throw invalid("belongs to schema " + stamped, null);
        }
    }

    private ManifestEntry readEntry(ObjectNode node, String array) {
        ManifestForm form = array.equals("files") ? ManifestForm.FILES : ManifestForm.TIERED;
        ManifestJson.EntryKeys keys = ManifestJson.EntryKeys.of(form);
        String path = takePath(node, array);
        String where = " of \"" + path + "\"";
        String label = takeText(node, keys.level(), where);
        String level = form == ManifestForm.TIERED ? array : levelOf(label == null ? "" : label);
        if (label != null && !label.equals(level)) {
            node.put(keys.level(), label); // another spelling survives as what is left over
        }
        return new ManifestEntry(
                path,
                takeText(node, keys.minRowId(), where),
                takeText(node, keys.maxRowId(), where),
                takeLong(node, keys.minTime(), where),
                takeLong(node, keys.maxTime(), where),
                takeLong(node, "size_bytes", where),
                level,
                takeLong(node, "row_count", where),
                takeText(node, "checksum", where),
                takeColumns(node, where),
                textByKey(node));
    }

    private static String levelOf(String label) {
        if (label.equalsIgnoreCase(ManifestEntry.BASE)) {
            return ManifestEntry.BASE;
        }
        return label.equalsIgnoreCase(ManifestEntry.DELTA) ? ManifestEntry.DELTA : label;
    }

    private RetiredFile readRetired(ObjectNode node) {
        String path = takePath(node, "retired");
        return new RetiredFile(path, takeInstant(node, "retired_at_ms", path), textByKey(node));
    }

    private OrphanSighting readOrphan(ObjectNode node) {
        String path = takePath(node, "orphans");
        return new OrphanSighting(path, takeInstant(node, "seen_at_ms", path), textByKey(node));
    }

    private long takeInstant(ObjectNode node, String key, String path) {
        Long millis = takeLong(node, key, " of \"" + path + "\"");
        if (millis == null) {
            throw invalid("has \"" + path + "\" without " + key, null);
        }
        return millis;
    }

    private String takePath(ObjectNode node, String array) {
        String path = takeText(node, "path", " under \"" + array + "\"");
        if (path == null) {
            throw invalid("has an entry without path under \"" + array + "\"", null);
        }
        ManifestPaths.problemOf(path, bucket).ifPresent(problem -> {
            throw invalid("has a path under \"" + array + "\" that " + problem + ": \"" + path + "\"", null);
        });
        return path;
    }

    @SuppressWarnings("ReferenceEquality") // LongDocument shares what stands there again
    private Map<String, String> takeColumns(ObjectNode node, String where) {
        JsonNode columns = node.remove("columns");
        if (columns == null || columns.isNull()) {
            return Map.of();
        }
        if (!columns.isObject()) {
            throw wrongType("columns", where, "an object", columns);
        }
        if (columns != lastColumnsRead) {
            Map<String, String> types = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> column : columns.properties()) {
                if (!column.getValue().isTextual()) {
                    throw wrongType("columns." + column.getKey(), where, "text", column.getValue());
                }
                types.put(column.getKey(), column.getValue().textValue());
            }
            lastColumns = FrozenMap.copyOf(types);
            lastColumnsRead = columns;
        }
        return lastColumns;
    }

    /** An array's elements; none where it is absent or null, as Go writes an array it never filled. */
    private Iterable<JsonNode> takeArray(ObjectNode node, String key) {
        JsonNode value = node.remove(key);
        if (value == null || value.isNull()) {
            return List.of();
        }
        if (value instanceof ArrayNode array) {
            return array;
        }
        throw wrongType(key, "", "an array", value);
    }

    private ObjectNode object(JsonNode node, String array, int index) {
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw wrongType(array + "[" + index + "]", "", "an object", node);
    }

    private @Nullable String takeText(ObjectNode node, String key, String where) {
        JsonNode value = node.remove(key);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isTextual()) {
            throw wrongType(key, where, "text", value);
        }
        return value.textValue();
    }

    private @Nullable Long takeLong(ObjectNode node, String key, String where) {
        JsonNode value = node.remove(key);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrongType(key, where, "a 64-bit integer", value);
        }
        return value.longValue();
    }

    /** A number that every save moves on, and that must leave room for it. */
    private long takeCounter(ObjectNode node, String key) {
        Long value = takeLong(node, key, "");
        if (value == null) {
            return 0;
        }
        if (value < 0 || value > Long.MAX_VALUE / 2) {
            throw invalid("has " + key + " " + value + ", which is out of range", null);
        }
        return value;
    }

    private static Map<String, String> textByKey(ObjectNode rest) {
        if (rest.isEmpty()) {
            return Map.of();
        }
        Map<String, String> unknown = new LinkedHashMap<>();
        rest.properties().forEach(e -> unknown.put(e.getKey(), e.getValue().toString()));
        return unknown;
    }

    private InvalidManifestException wrongType(String key, String where, String expected, JsonNode found) {
        return invalid(
                "has " + key + where + " that is not " + expected + " but "
                        + found.getNodeType().toString().toLowerCase(java.util.Locale.ROOT),
                null);
    }

    private InvalidManifestException invalid(String problem, @Nullable Throwable cause) {
        String message = ManifestJson.nameOf(schemaId, manifestKey) + " " + problem + "; it is left as it is";
        return cause == null ? new InvalidManifestException(message) : new InvalidManifestException(message, cause);
    }
}
