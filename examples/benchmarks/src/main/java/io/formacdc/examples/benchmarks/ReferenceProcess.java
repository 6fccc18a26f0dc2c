package io.formacdc.examples.benchmarks;

import io.formacdc.examples.localstack.LocalPostgres;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A reference in a JVM of its own, because its libraries and ours do not agree on versions. It exports once for each
 * line that it gets, so it is as warm as we are.
 *
 * @param engine as {@code io.formacdc.examples.references.References} calls it
 */
record ReferenceProcess(String engine) implements ExportBench.Reference {
    private static final String MAIN = "io.formacdc.examples.references.References";

    /** What Spark asks for on Java 17 (its JavaModuleOptions). */
    private static final List<String> OPENED = List.of(
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar");

    @Override
    public boolean isRunnable(Stage stage) {
        return classPath(stage).isPresent();
    }

    private static Optional<String> classPath(Stage stage) {
        return stage.settings()
                .references()
                .filter(build -> Files.exists(build.resolve("classpath.txt")))
                .map(build -> {
                    try {
                        return build.resolve("classes") + ":"
                                + Files.readString(build.resolve("classpath.txt"))
                                        .strip();
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
    }

    @Override
    public ExportBench.ReferenceTask open(Stage stage, Workload work, LocalPostgres database) throws Exception {
        Path folder = stage.newFolder();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx1g");
        command.add("--enable-native-access=ALL-UNNAMED");
        OPENED.forEach(name -> command.add("--add-opens=java.base/" + name + "=ALL-UNNAMED"));
        command.addAll(List.of(
                "-cp",
                classPath(stage).orElseThrow(),
                MAIN,
                engine,
                database.jdbcUrl(),
                database.user(),
                String.valueOf(work.schemaId()),
                folder.toString()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(folder.resolve("stderr.log").toFile());
        builder.environment().put("REFERENCE_PASSWORD", database.password());
        return new Task(builder.start(), work, folder);
    }

    private static final class Task implements ExportBench.ReferenceTask {
        private final Process process;
        private final Workload work;
        private final Path folder;
        private final BufferedReader answers;
        private final BufferedWriter commands;

        Task(Process process, Workload work, Path folder) throws IOException {
            this.process = process;
            this.work = work;
            this.folder = folder;
            this.answers = process.inputReader(StandardCharsets.UTF_8);
            this.commands = process.outputWriter(StandardCharsets.UTF_8);
            expect("ready");
        }

        @Override
        public void run() throws IOException {
            commands.write("export\n");
            commands.flush();
            expect("done " + work.rows());
        }

        private void expect(String answer) throws IOException {
            String line = answers.readLine();
            if (!answer.equals(line)) {
                throw new IllegalStateException("the reference said " + line + ", not " + answer + ":\n"
                        + Files.readString(folder.resolve("stderr.log")));
            }
        }

        @Override
        public void close() throws Exception {
            commands.close();
            process.waitFor();
        }
    }
}
