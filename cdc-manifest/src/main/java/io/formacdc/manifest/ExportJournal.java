package io.formacdc.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.formacdc.core.CdcInterruptedException;
import io.formacdc.core.CdcPaths;
import io.formacdc.core.FileContents;
import io.formacdc.core.FileContents.RowIdRange;
import io.formacdc.core.FileContents.VersionRange;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.ObjectNotFoundException;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.RowIdInterval;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an initial export under way has finished, kept in the bucket beside the staged files, so that the next one need
 * not do it again. Only a hint: it says what may be looked at, and where it is lost, or out of date by the few seconds
 * between two of its saves, the rows are exported again. So no failure of it is one of the export. Thread-safe.
 */
final class ExportJournal {
    private static final Logger LOG = LoggerFactory.getLogger(ExportJournal.class);

    private static final long SAVE_INTERVAL_NANOS = Duration.ofSeconds(10).toNanos();

    private final ObjectStore store;
    private final String key;
    private final int schemaId;
    private final String settings;
    private final Map<String, String> columns;

    /** By staged key: those of an earlier export that are not looked at yet, and those that this one has. */
    private final Map<String, ExportedRange> ranges = new LinkedHashMap<>();

    private @Nullable String etag;
    private boolean isLost;
    private boolean isSaved = true;
    private @Nullable Long savedAtNanos;

    /**
     * @param settings everything but the rows that decides what is in a file; files written with others are of no use
     * @param columns of the files
     */
    ExportJournal(ObjectStore store, String prefix, int schemaId, String settings, Map<String, String> columns) {
        this.store = store;
        this.key = keyOf(prefix, schemaId);
        this.schemaId = schemaId;
        this.settings = settings;
        this.columns = columns;
    }

    /** Of a shape that no sweep judges. */
    static String keyOf(String prefix, int schemaId) {
        return CdcPaths.schemaPrefix(prefix, schemaId) + "_tmp/export.json";
    }

    /** What an earlier export has left, if it wrote what this one would write. */
    synchronized List<ExportedRange> load() {
        try {
            ObjectStore.StoredObject object = store.get(key);
            etag = object.etag();
            List<ExportedRange> read = read(StrictJson.readObject(object.content()));
            read.forEach(range -> ranges.put(range.stagedKey(), range));
            return read;
        } catch (ObjectNotFoundException e) {
            return List.of();
        } catch (CdcInterruptedException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            LOG.warn("schema {}: {} cannot be used, everything is exported anew: {}", schemaId, key, e.getMessage());
            return List.of();
        }
    }

    /** Notes a finished range, at the latest some seconds from now. */
    synchronized void add(ExportedRange range) {
        isSaved &= ranges.put(range.stagedKey(), range) != null;
        if (savedAtNanos == null || System.nanoTime() - savedAtNanos >= SAVE_INTERVAL_NANOS) {
            save();
        }
    }

    /** Saves what is not saved yet. Does not throw. */
    synchronized void save() {
        if (isSaved || isLost) {
            return;
        }
        try {
            byte[] content = StrictJson.write(write());
            etag = etag == null ? store.putIfAbsent(key, content) : store.putIfMatch(key, content, etag);
            isSaved = true;
            savedAtNanos = System.nanoTime();
        } catch (RuntimeException e) {
            isLost = true;
            LOG.warn("schema {}: {} cannot be saved any more: {}", schemaId, key, e.getMessage());
        }
    }

    private ObjectNode write() {
        ObjectNode root = StrictJson.newObject();
        root.put("settings", settings);
        columns.forEach(root.putObject("columns")::put);
        ArrayNode array = root.putArray("ranges");
        ranges.values().forEach(range -> write(range, array.addObject()));
        return root;
    }

    private static void write(ExportedRange range, ObjectNode node) {
        FileContents contents = range.contents();
        if (range.interval().after() != null) {
            node.put("after", String.valueOf(range.interval().after()));
        }
        node.put("up_to", String.valueOf(range.interval().upTo()));
        node.put("rows", range.digest().rows());
        node.put("digest_high", range.digest().high());
        node.put("digest_low", range.digest().low());
        node.put("path", range.stagedKey());
        node.put("size_bytes", contents.sizeBytes());
        node.put("checksum", contents.checksum());
        RowIdRange rowIds = contents.rowIds();
        VersionRange versions = contents.versions();
        if (rowIds != null && versions != null) {
            node.put("min_row_id", rowIds.min().toString());
            node.put("max_row_id", rowIds.max().toString());
            node.put("min_changed_at", versions.minMillis());
            node.put("max_changed_at", versions.maxMillis());
        }
        range.lossyCasts().forEach(node.putObject("lossy_casts")::put);
    }

    private List<ExportedRange> read(ObjectNode root) {
        ObjectNode ofThisExport = StrictJson.newObject();
        columns.forEach(ofThisExport::put);
        if (!settings.equals(root.path("settings").asText()) || !ofThisExport.equals(root.get("columns"))) {
            return List.of();
        }
        List<ExportedRange> read = new ArrayList<>();
        root.withArray("ranges").forEach(node -> read.add(read(node)));
        return read;
    }

    private ExportedRange read(JsonNode node) {
        long rows = node.required("rows").longValue();
        FileContents contents = new FileContents(
                rows,
                node.required("size_bytes").longValue(),
                node.required("checksum").textValue(),
                new RowIdRange(uuid(node, "min_row_id"), uuid(node, "max_row_id")),
                new VersionRange(
                        node.required("min_changed_at").longValue(),
                        node.required("max_changed_at").longValue()),
                columns);
        Map<String, Long> lossyCasts = new LinkedHashMap<>();
        node.required("lossy_casts")
                .properties()
                .forEach(e -> lossyCasts.put(e.getKey(), e.getValue().longValue()));
        return new ExportedRange(
                new RowIdInterval(node.has("after") ? uuid(node, "after") : null, uuid(node, "up_to")),
                new RowsDigest(
                        rows,
                        node.required("digest_high").longValue(),
                        node.required("digest_low").longValue()),
                node.required("path").textValue(),
                contents,
                lossyCasts);
    }

    private static UUID uuid(JsonNode node, String name) {
        return UUID.fromString(node.required(name).textValue());
    }
}
