package io.formacdc.core;

/** Amounts of things, as messages name them. */
public final class Amounts {
    private Amounts() {}

    /**
     * As in "1 file" and "2 files".
     *
     * @param thing in the singular, with a plural in s
     */
    public static String of(long number, String thing) {
        return number + " " + thing + (number == 1 ? "" : "s");
    }
}
