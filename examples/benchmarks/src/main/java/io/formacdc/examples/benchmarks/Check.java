package io.formacdc.examples.benchmarks;

/** A bench that measures something else than it says must fail. */
final class Check {
    private Check() {}

    static void equal(long expected, long actual, String what) {
        if (expected != actual) {
            throw new IllegalStateException(what + ": expected " + expected + ", was " + actual);
        }
    }
}
