package io.formacdc.examples.benchmarks;

import java.util.List;

/** One thing to measure against another. */
interface Bench {
    /** As in {@code -Dbench=name}. */
    String name();

    /** What is measured, for the table. */
    String subject();

    /** What it is measured against, in the same run. */
    String reference();

    /** Whether it can be run here; false where the references were not built. */
    default boolean isRunnable(Stage stage) {
        return true;
    }

    /** Most often one; several where one run tells several figures. */
    List<Figure> run(Stage stage) throws Exception;
}
