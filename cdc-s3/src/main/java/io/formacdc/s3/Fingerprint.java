package io.formacdc.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Length and etag of a content; equal etags mean equal contents. In quotes, as S3 has them. */
record Fingerprint(long sizeBytes, String etag) {
    static Fingerprint of(InputStream content) throws IOException {
        return copying(content, OutputStream.nullOutputStream());
    }

    static Fingerprint copying(InputStream content, OutputStream target) throws IOException {
        MessageDigest digest = sha256();
        long size = new DigestInputStream(content, digest).transferTo(target);
        return new Fingerprint(size, "\"" + HexFormat.of().formatHex(digest.digest()) + "\"");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
