package io.formacdc.examples.references;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Runs one way of exporting a schema, as often as a line arrives: {@code engine jdbcUrl user schemaId folder}, the
 * password in the environment variable {@code REFERENCE_PASSWORD}. Answers {@code ready}, and each line by {@code done}
 * and the number of rows that the file holds. One JVM for all rounds, so that it is as warm as the one it is compared with.
 */
public final class References {
    private References() {}

    interface Way extends AutoCloseable {
        /** Exports everything to a new file or folder; returns the number of rows. */
        long export(Path target) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        // Spark talks on its standard output.
        System.setOut(System.err);
        Source source = new Source(
                args[1], args[2], System.getenv().getOrDefault("REFERENCE_PASSWORD", ""), Integer.parseInt(args[3]));
        Path folder = Path.of(args[4]);
        try (Way way = way(args[0], source)) {
            answers.println("ready");
            serve(way, folder, answers);
        }
    }

    private static Way way(String engine, Source source) {
        return switch (engine) {
            case "parquet-java" -> new ParquetJava(source);
            case "appender" -> new DuckAppender(source);
            case "spark" -> new Spark(source);
            default -> throw new IllegalArgumentException("no such engine: " + engine);
        };
    }

    private static void serve(Way way, Path folder, PrintStream answers) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (int round = 0; readLine(commands); round++) {
            answers.println("done " + way.export(folder.resolve("round-" + round + ".parquet")));
        }
    }

    private static boolean readLine(BufferedReader commands) throws IOException {
        return commands.readLine() != null;
    }
}
