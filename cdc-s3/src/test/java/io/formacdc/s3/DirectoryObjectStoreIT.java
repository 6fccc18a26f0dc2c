package io.formacdc.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.formacdc.core.ListingObjectStoreContract;
import io.formacdc.core.ObjectStore;
import io.formacdc.core.ObjectStore.ObjectInfo;
import io.formacdc.core.ObjectStoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryObjectStoreIT extends ListingObjectStoreContract {
    @TempDir
    Path bucket;

    @Override
    protected ObjectStore store() {
        return new DirectoryObjectStore(bucket);
    }

    @Override
    protected ObjectStore storeWithoutBucket() {
        return new DirectoryObjectStore(bucket.resolveSibling("no-such-folder"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../out", "a/../../out", "/etc/passwd", "a//b", "a/", "", ".", "a/./b", "lone\uD800surrogate"})
    void aKeyThatIsNoPathInsideTheFolderIsRefused(String key) throws IOException {
        assertThatThrownBy(() -> store().putIfAbsent(key, new byte[1])).isExactlyInstanceOf(ObjectStoreException.class);
        assertThatThrownBy(() -> store().get(key)).isExactlyInstanceOf(ObjectStoreException.class);
        assertThatThrownBy(() -> store().delete(key)).isExactlyInstanceOf(ObjectStoreException.class);
        assertThat(filesIn(bucket)).isEmpty();
    }

    @Test
    void anObjectLiesAtItsKey() {
        put("lake/7/0190.parquet", "value");
        assertThat(bucket.resolve("lake/7/0190.parquet")).hasContent("value");
    }

    @Test
    void theOwnFolderIsOutOfReachOfKeys() {
        put("~store/lock", "value");
        put("~store2", "value");
        assertThat(store().list("").map(ObjectInfo::key)).containsExactly("~store/lock", "~store2");
    }

    @Test
    void aFileThatNoKeyCouldHaveMadeIsNotListed() throws IOException {
        put("good", "value");
        Files.writeString(bucket.resolve("not encoded"), "foreign");
        Files.writeString(bucket.resolve("100%"), "foreign");
        assertThat(store().list("").map(ObjectInfo::key)).containsExactly("good");
    }

    @Test
    void aFailedWriteLeavesNothing() throws IOException {
        put("a", "value");
        assertThatThrownBy(() -> put("a/b", "value")).isExactlyInstanceOf(ObjectStoreException.class);
        assertThat(filesIn(bucket)).containsExactlyInAnyOrder("a", "~store/lock");
        assertThat(text("a")).isEqualTo("value");
    }

    @Test
    void processesDoNotOverwriteEachOther() throws Exception {
        put("counter", "0");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Incrementer.class.getName(),
                            bucket.toString())
                    .inheritIO()
                    .start());
        }
        for (Process process : processes) {
            assertThat(process.waitFor()).isZero();
        }
        assertThat(text("counter")).isEqualTo(String.valueOf(3 * Incrementer.INCREMENTS));
    }

    /** A process of its own. */
    static final class Incrementer {
        static final int INCREMENTS = 100;

        private Incrementer() {}

        public static void main(String[] arguments) {
            ObjectStore store = new DirectoryObjectStore(Path.of(arguments[0]));
            int wins = 0;
            while (wins < INCREMENTS) {
                wins += incremented(store, "counter") ? 1 : 0;
            }
        }
    }

    private static List<String> filesIn(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .toList();
        }
    }
}
