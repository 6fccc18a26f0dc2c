package io.formacdc.duckdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One row of {@code eav_data}: fields row_id, attr_id, array_indices if asked for, value_text, value_numeric. Reused for
 * one row after the other; confined to a thread.
 */
final class EavTuple {
    /** Whether array_indices are read; the scalars have no use for them. */
    enum Indices {
        READ("attr_id, array_indices, value_text, value_numeric"),
        NOT_READ("attr_id, value_text, value_numeric");

        private final String columns;

        Indices(String columns) {
            this.columns = columns;
        }

        /** Those behind the row id, as a query selects them. */
        String columns() {
            return columns;
        }
    }

    private static final int FIELDS = 4;

    private final Indices indices;
    private final PgType numericType;
    private final PgValue value = new PgValue();
    private ByteBuffer tuple = ByteBuffer.allocate(0);
    private int indicesAt;
    private int indicesLength;
    private int textAt;
    private int textLength;
    private int numberAt;
    private int numberLength;

    long idHigh;
    long idLow;
    short attrId;

    /** @param numericType how {@code value_numeric} arrives */
    EavTuple(Indices indices, PgType numericType) {
        this.indices = indices;
        this.numericType = numericType;
    }

    /** Points this at a row. */
    void read(ByteBuffer next) {
        tuple = next;
        int fields = tuple.getShort();
        if (fields != (indices == Indices.READ ? FIELDS + 1 : FIELDS)) {
            throw new IllegalStateException("the server sent a tuple of " + fields + " fields");
        }
        idHigh = tuple.position(tuple.position() + 4).getLong();
        idLow = tuple.getLong();
        tuple.getInt();
        attrId = tuple.getShort();
        if (indices == Indices.READ) {
            indicesLength = tuple.getInt();
            indicesAt = tuple.position();
            tuple.position(indicesAt + indicesLength);
        }
        textLength = tuple.getInt();
        textAt = tuple.position();
        numberLength = tuple.position(textAt + Math.max(0, textLength)).getInt();
        numberAt = tuple.position();
    }

    boolean hasText() {
        return textLength >= 0;
    }

    boolean hasNumber() {
        return numberLength >= 0;
    }

    /** Whether this is the row that stands for an empty list. */
    boolean isEmptyMarker() {
        return indicesLength == 0 && !hasText() && !hasNumber();
    }

    byte[] arrayIndices() {
        value.set(PgType.TEXT, tuple, indicesAt, indicesLength);
        return value.bytes();
    }

    String arrayIndicesText() {
        return new String(arrayIndices(), StandardCharsets.UTF_8);
    }

    /** The text, of which there must be one. */
    byte[] text() {
        value.set(PgType.TEXT, tuple, textAt, textLength);
        return value.bytes();
    }

    /** Whether the field of this type holds a value that it can take; {@link #text}, {@link #doubleNumber} or {@link #longNumber} is that value. */
    boolean holds(LakeType type) {
        if (type == LakeType.VARCHAR) {
            return hasText();
        }
        if (!hasNumber()) {
            return false;
        }
        value.set(numericType, tuple, numberAt, numberLength);
        return switch (type) {
            case DOUBLE -> value.toDouble();
            case BOOLEAN -> value.toBoolean();
            case EPOCH_MILLIS -> value.toEpochMillis();
            default -> value.toLong();
        };
    }

    /** Whether there is a value, of whatever type. */
    boolean hasValue() {
        return hasText() || hasNumber();
    }

    /** The number that {@link #holds} has found. */
    double doubleNumber() {
        return value.doubleResult;
    }

    /** The same of an integer, an instant, or a boolean as one or zero. */
    long longNumber() {
        return value.longResult;
    }
}
