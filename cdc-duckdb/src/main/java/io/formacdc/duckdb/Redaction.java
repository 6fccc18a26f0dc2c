package io.formacdc.duckdb;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Takes secrets out of text that may repeat them, in whatever quotes. Immutable; its own text shows none. */
final class Redaction {
    private static final String REPLACEMENT = "***";

    private final List<String> forms;

    private Redaction(List<String> forms) {
        this.forms = forms;
    }

    /** @param secrets empty ones are none */
    static Redaction of(String... secrets) {
        return new Redaction(Stream.of(secrets)
                .filter(secret -> !secret.isEmpty())
                .flatMap(secret -> Stream.of(secret, PgDsn.escape(secret)))
                .flatMap(form -> Stream.of(form, form.replace("'", "''")))
                .distinct()
                // What holds another one goes first, or its rest would stay.
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList());
    }

    String redact(String text) {
        String redacted = text;
        for (String form : forms) {
            redacted = redacted.replace(form, REPLACEMENT);
        }
        return redacted;
    }

    @Override
    public String toString() {
        return "Redaction";
    }
}
