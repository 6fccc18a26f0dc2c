package io.formacdc.core;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A table as configured, ready to stand in SQL.
 *
 * <p>The text is {@code table} or {@code schema.table}. Each part is taken literally and quoted, so that any name works
 * and none can inject; a part that holds a dot, or begins with a double quote, is written in double quotes, as in {@code
 * "odd.schema".table}.
 *
 * @param sql the quoted identifier
 */
public record TableName(String sql) {
    /** A part in double quotes, inner quotes doubled, or one that has no dot and begins with no quote; and what follows. */
    private static final Pattern PART =
            Pattern.compile("(?:\"((?:[^\"\\x00]|\"\")+)\"|([^\".\\x00][^.\\x00]*))(\\.|$)");

    /**
     * Reads a configured name.
     *
     * @throws IllegalArgumentException if a part is empty, or begins with a quote that it does not end with, or there are
     *     more than two
     */
    public static TableName parse(String text) {
        List<String> parts = new ArrayList<>();
        Matcher matcher = PART.matcher(text);
        boolean more = true;
        for (int at = 0; more && matcher.region(at, text.length()).lookingAt(); at = matcher.end()) {
            String quoted = matcher.group(1);
            parts.add(quoted != null ? quoted.replace("\"\"", "\"") : matcher.group(2));
            more = !matcher.group(3).isEmpty();
        }
        if (more || parts.size() > 2) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is no table name; write table or schema.table, a part that holds a dot in double quotes");
        }
        return new TableName(parts.stream().map(TableName::quote).collect(Collectors.joining(".")));
    }

    /** The identifier in double quotes. */
    public static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    @Override
    public String toString() {
        return sql;
    }
}
