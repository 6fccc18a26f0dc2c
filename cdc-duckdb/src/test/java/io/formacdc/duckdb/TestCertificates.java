package io.formacdc.duckdb;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Certificates made by the JDK's own keytool: an authority, a server of the name localhost that it vouches for, and an
 * authority that vouches for nobody here.
 */
record TestCertificates(Path authority, Path otherAuthority, Path server, Path serverKey) {
    private static final String PASSWORD = "changeit";

    static TestCertificates create(Path folder) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = folder.resolve("keys.p12");
        generate(store, "authority", "-ext", "bc:c");
        generate(store, "other", "-ext", "bc:c");
        generate(store, "server", "-signer", "authority", "-ext", "san=dns:localhost");
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        Path key = folder.resolve("server.key");
        // The server reads no key that others can read.
        Files.createFile(key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        write(key, "PRIVATE KEY", keys.getKey("server", PASSWORD.toCharArray()).getEncoded());
        return new TestCertificates(
                write(folder.resolve("authority.crt"), keys, "authority"),
                write(folder.resolve("other.crt"), keys, "other"),
                write(folder.resolve("server.crt"), keys, "server"),
                key);
    }

    private static void generate(Path store, String alias, String... more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-keyalg",
                "EC",
                "-alias",
                alias,
                "-dname",
                "CN=" + alias));
        command.addAll(List.of(more));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool failed: " + said);
        }
    }

    private static Path write(Path file, KeyStore keys, String alias) throws IOException, GeneralSecurityException {
        return write(file, "CERTIFICATE", keys.getCertificate(alias).getEncoded());
    }

    private static Path write(Path file, String what, byte[] content) throws IOException {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return Files.writeString(file, "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
    }
}
