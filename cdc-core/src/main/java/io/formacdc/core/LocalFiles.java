package io.formacdc.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/** Deletes private files whose loss harms nobody. */
final class LocalFiles {
    private LocalFiles() {}

    static void deleteIfExists(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LoggerFactory.getLogger(LocalFiles.class).warn("could not delete spill file {}", path, e);
        }
    }
}
