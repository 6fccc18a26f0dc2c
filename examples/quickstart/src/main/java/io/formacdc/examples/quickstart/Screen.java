package io.formacdc.examples.quickstart;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Prints for a person to read: titles, lines, and how long a step took. Thread-safe. */
final class Screen {
    private static final int WIDTH = 96;
    private static final int BAR = 30;
    private static final long NANOS_BETWEEN_LINES = 1_000_000_000;

    private final PrintStream out;
    private final boolean terminal;
    private long beginNanos;
    private long lastLineNanos;

    Screen(PrintStream out) {
        this.out = out;
        this.terminal = out == System.out && isTerminal();
    }

    synchronized void title(String text) {
        out.printf("%n%s%n", text);
    }

    synchronized void line(String format, @Nullable Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }

    /** The next step begins now. */
    synchronized void begin() {
        beginNanos = System.nanoTime();
        lastLineNanos = beginNanos;
    }

    /** The step that began last is done. */
    synchronized void done(String format, @Nullable Object... values) {
        String text = String.format(Locale.ROOT, format, values);
        double seconds = (System.nanoTime() - beginNanos) / 1e9;
        out.println(String.format(Locale.ROOT, "%-" + (WIDTH - 8) + "s %5.1f s", text, seconds));
    }

    /** Draws a bar in the present line of a terminal; elsewhere prints a line, if a second has passed since the last. */
    synchronized void bar(String what, long part, long whole) {
        if (terminal) {
            draw(what, part, whole);
        } else if (System.nanoTime() - lastLineNanos > NANOS_BETWEEN_LINES) {
            lineOf(what, part, whole);
        }
    }

    /** A part of the work is done for good: prints a line, where no bar shows it. */
    synchronized void reached(String what, long part, long whole) {
        if (terminal) {
            draw(what, part, whole);
        } else {
            lineOf(what, part, whole);
        }
    }

    private void draw(String what, long part, long whole) {
        int filled = (int) Math.min(BAR, BAR * part / Math.max(1, whole));
        String text = String.format(
                Locale.ROOT, "[%s%s] %,d of %,d %s", "#".repeat(filled), " ".repeat(BAR - filled), part, whole, what);
        out.print("\r" + text + " ".repeat(Math.max(0, WIDTH - text.length())));
        out.flush();
    }

    private void lineOf(String what, long part, long whole) {
        line("%,d of %,d %s", part, whole, what);
        lastLineNanos = System.nanoTime();
    }

    /** Wipes the bar out of its line. */
    synchronized void endBar() {
        if (terminal) {
            out.print("\r" + " ".repeat(WIDTH) + "\r");
        }
    }

    /** The last line of a good end. Returns true. */
    boolean ok(String text) {
        line("%nOK: %s", text);
        return true;
    }

    /** The last line of a bad end. Returns false. */
    boolean failed(String text) {
        line("%nFAILED: %s", text.replaceAll("\\s*\\R\\s*", " "));
        return false;
    }

    /** From Java 22 on there is a console without a terminal too, which only a newer method can tell. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isTerminal() {
        Console console = System.console();
        if (console == null || "dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }
}
