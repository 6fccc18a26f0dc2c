package io.formacdc.examples.localstack;

import java.net.URI;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Where tests get their servers from, if not from this process: the Maven profile {@code containers} adds one that starts
 * containers. Each method starts its server at the first call; the server lives as long as the JVM.
 */
interface ServerSource {
    /** A JDBC URL with a superuser and his password. */
    String postgresUrl();

    Store store();

    /** A bucket, and who may use it. */
    record Store(URI endpoint, String accessKey, String secretKey, String bucket) {}

    /** The one on the class path. */
    static Optional<ServerSource> find() {
        return Found.SOURCE;
    }

    /** Looked up once, so that all share the servers. */
    final class Found {
        private static final Optional<ServerSource> SOURCE = ServiceLoader.load(
                        ServerSource.class, ServerSource.class.getClassLoader())
                .findFirst();

        private Found() {}
    }
}
