package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.FlushReport.SchemaFlush;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FlusherTest {
    private final FakePorts fake = new FakePorts();

    @Test
    void registryThatThrowsIsNamedAndItsExceptionIsTheCause() {
        IllegalStateException own = new IllegalStateException("no such tenant");
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(
                id -> {
                    throw own;
                },
                7)));
        assertThat(failed.error())
                .hasMessage("schema 7, look-up of the schema's attributes: the schema registry threw"
                        + " java.lang.IllegalStateException: no such tenant")
                .hasRootCause(own);
        assertThat(fake.store).isEmpty();
    }

    @Test
    void registryThatThrowsWithoutAWordIsNamed() {
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(
                id -> {
                    throw new UnsupportedOperationException();
                },
                7)));
        assertThat(failed.error())
                .hasMessageEndingWith("the schema registry threw java.lang.UnsupportedOperationException");
    }

    @Test
    void registryThatReturnsNullIsToldWhatToReturn() {
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(id -> nothing(), 7)));
        assertThat(failed.error())
                .hasMessageEndingWith("the schema registry returned null for schema 7; it must return an empty Optional"
                        + " for a schema that it does not know");
    }

    @SuppressWarnings("NullAway")
    private static Optional<SchemaAttributes> nothing() {
        return null;
    }

    private static SchemaFlush failure(Throwable thrown) {
        assertThat(thrown).isInstanceOf(SchemaFlushException.class);
        return ((SchemaFlushException) thrown).report().schemas().get(0);
    }
}
