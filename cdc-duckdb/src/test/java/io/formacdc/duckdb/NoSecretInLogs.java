package io.formacdc.duckdb;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.helpers.MessageFormatter;

/** What the library says while things fail, on any level, whether it is written anywhere or not, has no secret in it. */
final class NoSecretInLogs extends TurboFilter implements BeforeAllCallback, AfterAllCallback {
    private final String secret = TestHost.S3.secretKey();
    private final AtomicInteger messages = new AtomicInteger();
    private final Queue<String> found = new ConcurrentLinkedQueue<>();

    private static LoggerContext loggers() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        start();
        loggers().addTurboFilter(this);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        loggers().getTurboFilterList().remove(this);
        assertThat(messages).as("messages of %s", context.getDisplayName()).hasPositiveValue();
        assertThat(found).as("messages with a secret").isEmpty();
    }

    @Override
    public FilterReply decide(
            @Nullable Marker marker,
            Logger logger,
            Level level,
            @Nullable String format,
            Object @Nullable [] parameters,
            @Nullable Throwable thrown) {
        if (format != null && logger.getName().startsWith("io.formacdc")) {
            messages.incrementAndGet();
            String message = MessageFormatter.arrayFormat(format, parameters).getMessage()
                    + (thrown == null ? "" : text(thrown));
            if (message.contains(secret)) {
                found.add(logger.getName() + ": " + message);
            }
        }
        return FilterReply.NEUTRAL;
    }

    /** A failure with its causes, what was suppressed, and all stacks. */
    static String text(Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
