package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

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

    static final List<CdcException> NOT_LISTED = List.of(
            new CdcException("refused"),
            new PreconditionFailedException("overtaken"),
            new InvalidManifestException("broken"),
            new ObjectStoreException("unreachable"),
            new FencedException("overtaken by a flush"));

    @ParameterizedTest
    @FieldSource("NOT_LISTED")
    void objectOfAnAppendThatIsKnownNotToHaveHappenedIsDeleted(CdcException known) {
        fake.appender = file -> {
            assertThat(fake.store).containsExactly(file.key());
            throw known;
        };
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7));
        assertThat(fake.store).isEmpty();
        assertThat(fake.marked).isEmpty();
        if (known instanceof FencedException) {
            assertThat(thrown).isNull();
        } else {
            assertThat(failure(thrown).outcome()).isEqualTo(Outcome.FAILED);
            assertThat(failure(thrown).error()).hasCause(known);
        }
    }

    @Test
    void objectOfAnAppendOfUnknownOutcomeIsKept() {
        fake.appender = file -> {
            throw new CommitStateUnknownException("lost", file.key(), new IllegalStateException("timeout"));
        };
        SchemaFlush unknown = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(unknown.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(fake.store).hasSize(1);
    }

    @Test
    void objectOfAnAppendThatABugBrokeOffIsKept() {
        fake.appender = file -> {
            throw new IllegalStateException("a bug");
        };
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(fake.store).hasSize(1);
        assertThat(failed.error())
                .hasMessageContaining("append of " + fake.store.first())
                .hasMessageContaining("a bug");
    }

    @Test
    void objectOfAnAppendThatAnErrorBrokeOffIsKept() {
        fake.appender = file -> {
            throw new StackOverflowError();
        };
        assertThat(catchThrowable(() -> fake.flush(null, 7))).isInstanceOf(StackOverflowError.class);
        assertThat(fake.store).hasSize(1);
    }

    @Test
    void deletionThatFailsIsSuppressedInTheFailureOfTheAppend() {
        CdcException known = new CdcException("refused");
        ObjectStoreException cleanup = new ObjectStoreException("may not delete");
        fake.appender = file -> {
            throw known;
        };
        fake.beforeDelete = () -> {
            throw cleanup;
        };
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(failed.error()).hasMessageEndingWith(": refused").hasCause(known);
        assertThat(known).hasSuppressedException(cleanup);
        assertThat(fake.store).hasSize(1);
    }

    @Test
    void deletionThatFailsLeavesAFencedFlushFenced() {
        fake.appender = file -> {
            throw new FencedException("overtaken");
        };
        fake.beforeDelete = () -> {
            throw new ObjectStoreException("may not delete");
        };
        assertThat(fake.flush(null, 7).schemas())
                .extracting(SchemaFlush::outcome)
                .containsExactly(Outcome.FENCED);
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
