package io.formacdc.manifest;

import io.formacdc.core.FileContents;
import io.formacdc.core.LiveExporter.RowsDigest;
import io.formacdc.core.RowIdInterval;
import java.util.Map;

/**
 * A part of an initial export that is done: its file is staged in the bucket.
 *
 * @param interval row ids that the file covers
 * @param digest the row versions in it
 * @param stagedKey where the file is
 * @param contents what is in it
 * @param lossyCasts by attribute name, values that did not fit the declared type and became NULL
 */
record ExportedRange(
        RowIdInterval interval,
        RowsDigest digest,
        String stagedKey,
        FileContents contents,
        Map<String, Long> lossyCasts) {}
