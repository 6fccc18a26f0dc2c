package io.formacdc.manifest;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts a document together of what is written and of pieces that are there already. A piece is copied once, at the end,
 * into an array of the right size. Confined to a thread.
 */
final class SplicedBytes extends OutputStream {
    private final List<ByteBuffer> pieces = new ArrayList<>();
    /** What was written after the last piece. */
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    private int piecesSize;

    @Override
    public void write(int oneByte) {
        written.write(oneByte);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        written.write(bytes, offset, length);
    }

    /** Adds a piece, which must not change any more. */
    void splice(ByteBuffer piece) {
        ByteBuffer before = ByteBuffer.wrap(written.toByteArray());
        written.reset();
        pieces.add(before);
        pieces.add(piece);
        piecesSize += before.remaining() + piece.remaining();
    }

    int size() {
        return piecesSize + written.size();
    }

    byte[] toByteArray() {
        ByteBuffer all = ByteBuffer.allocate(size());
        pieces.forEach(piece -> all.put(piece.duplicate()));
        return all.put(written.toByteArray()).array();
    }
}
