package io.formacdc.core;

import java.util.List;

/** A configuration cannot work. Raised before any connection is opened; names every problem, and what would be right. */
public final class InvalidConfigException extends CdcException {
    private final List<String> problems;

    public InvalidConfigException(List<String> problems) {
        super("configuration cannot work: " + String.join("; ", problems));
        this.problems = List.copyOf(problems);
    }

    /** One sentence for each problem. */
    public List<String> problems() {
        return problems;
    }
}
