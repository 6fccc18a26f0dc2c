package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.formacdc.core.FlushReport.Outcome;
import io.formacdc.core.FlushReport.SchemaFlush;
import io.formacdc.core.SnapshotExporter.ExportedFile;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.slf4j.LoggerFactory;

class FlusherTest {
    private final FakePorts fake;

    FlusherTest(@TempDir Path folder) {
        fake = new FakePorts(folder);
    }

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
        assertThat(fake.objects()).isEmpty();
    }

    @Test
    void whatAnotherPassHasFlushedMeanwhileIsNotReportedAsDirty() {
        AtomicBoolean looked = new AtomicBoolean();
        FlushReport report = fake.flush(
                id -> {
                    if (!looked.getAndSet(true)) {
                        fake.flush(null, 7);
                    }
                    return Optional.of(new SchemaAttributes("seven", List.of()));
                },
                7);
        assertThat(report.schemas()).singleElement().satisfies(schema -> {
            assertThat(schema.outcome()).isEqualTo(Outcome.BELOW_THRESHOLD);
            assertThat(schema.dirtyRows()).isZero();
        });
    }

    @Test
    void registryThatThrowsWithoutAWordIsNamed() {
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(
                id -> {
                    throw new IllegalStateException();
                },
                7)));
        assertThat(failed.error()).hasMessageEndingWith("the schema registry threw java.lang.IllegalStateException");
    }

    @Test
    void registryThatReturnsNullIsToldWhatToReturn() {
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(id -> nothing(), 7)));
        assertThat(failed.error())
                .hasMessageEndingWith("the schema registry returned null for schema 7; it must return an empty Optional"
                        + " for a schema that it does not know");
    }

    @Test
    void oneFailedSchemaSpeaksForItselfAndSeveralAreCounted() {
        fake.beforeAppend = file -> {
            if (!file.key().contains("/9/")) {
                throw new CdcException("refused");
            }
        };
        assertThat(catchThrowable(() -> fake.flush(null, 7)).getMessage())
                .matches("schema 7, append of data/7/\\S+ to the manifest: refused");
        assertThat(catchThrowable(() -> fake.flush(null, 7, 9)).getMessage())
                .matches("schema 7, append of data/7/\\S+ to the manifest: refused");
        assertThat(catchThrowable(() -> fake.flush(null, 7, 8, 9)).getMessage())
                .matches("2 of 3 schemas failed: schema 7, .*: refused; schema 8, .*: refused");
    }

    @Test
    void interruptCarriesTheReportOfWhatWasDoneAndBeginsNoMore() {
        fake.beforeAppend = file -> {
            if (file.key().contains("/8/")) {
                Thread.currentThread().interrupt();
                throw new CdcException("broken off");
            }
        };
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7, 8, 9));
        assertThat(Thread.interrupted()).isTrue();
        FlushReport report = ((CdcInterruptedException) thrown).report().orElseThrow();
        assertThat(thrown).hasMessageStartingWith("schema 8, append of ").hasNoSuppressedExceptions();
        assertThat(thrown.getCause()).isSameAs(report.schemas().get(1).error());
        assertThat(report.schemas()).extracting(SchemaFlush::outcome).containsExactly(Outcome.FLUSHED, Outcome.FAILED);
        assertThat(report.rows()).isEqualTo(1);
        assertThat(fake.marked()).containsExactly(7);
    }

    @Test
    void interruptAfterAFlushedSchemaReportsItAsFlushed() {
        fake.beforeAppend = file -> {
            if (file.key().contains("/7/")) {
                throw new CdcException("refused");
            }
        };
        fake.beforeMark = () -> Thread.currentThread().interrupt();
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7, 8, 9));
        assertThat(Thread.interrupted()).isTrue();
        FlushReport report = ((CdcInterruptedException) thrown).report().orElseThrow();
        assertThat(report.schemas()).extracting(SchemaFlush::rows).containsExactly(0L, 1L);
        assertThat(thrown.getSuppressed())
                .containsExactly(report.schemas().get(0).error());
    }

    @Test
    void interruptBeforeThePassReadsNothingAndCarriesAnEmptyReport() {
        fake.beforeSearch = () -> {
            throw new AssertionError("searched");
        };
        Thread.currentThread().interrupt();
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown)
                .isInstanceOf(CdcInterruptedException.class)
                .hasMessage("the calling thread was interrupted before the pass began; nothing was read or written");
        assertThat(((CdcInterruptedException) thrown).report().orElseThrow().schemas())
                .isEmpty();
    }

    @Test
    void interruptBeforeTheFirstSchemaCarriesAnEmptyReport() {
        fake.beforeSearch = () -> {
            Thread.currentThread().interrupt();
            throw new DatabaseException("search", new SQLException("cancelled", "57014"));
        };
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown).hasMessageStartingWith("interrupted before the first schema: ");
        assertThat(((CdcInterruptedException) thrown).report().orElseThrow().schemas())
                .isEmpty();
    }

    @Test
    void interruptOfASingleStepHasNoReport() {
        assertThat(new CdcInterruptedException("interrupted").report()).isEmpty();
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
        fake.beforeAppend = file -> {
            assertThat(fake.objects()).containsExactly(file.key());
            throw known;
        };
        Throwable thrown = catchThrowable(() -> fake.flush(null, 7));
        assertThat(fake.objects()).isEmpty();
        assertThat(fake.marked()).isEmpty();
        if (known instanceof FencedException) {
            assertThat(thrown).isNull();
        } else {
            assertThat(failure(thrown).outcome()).isEqualTo(Outcome.FAILED);
            assertThat(failure(thrown).error()).hasCause(known);
        }
    }

    @Test
    void fileWithRowsThatWereNotStreamedIsNotDelivered() {
        fake.afterExport =
                file -> new ExportedFile(file.path(), file.contents(), RowVersions.of(List.of()), file.lossyCasts());
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(failed.error()).hasMessageEndingWith("the file holds 1 rows, and 0 were streamed");
        assertThat(fake.objects()).isEmpty();
        assertThat(fake.marked()).isEmpty();
    }

    /** Its rows are listed by each pass again, and by a host whose table keeps them dirty for ever. */
    @Test
    void aFileOfWhichNothingCouldBeMarkedIsWarnedOf() {
        Logger logger = (Logger) LoggerFactory.getLogger(SchemaPass.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.WARN);
        try {
            assertThat(fake.flush(null, 7).rows()).isEqualTo(1);
            assertThat(lines.list).isEmpty();
            fake.beforeAppend = file -> fake.rewrite(8);
            assertThat(fake.flush(null, 8).rows()).isEqualTo(1);
            assertThat(lines.list)
                    .singleElement()
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .asString()
                    .startsWith("schema 8: none of the rows of data/8/");
        } finally {
            logger.detachAppender(lines);
            logger.setLevel(null);
        }
    }

    @Test
    void objectOfAnAppendOfUnknownOutcomeIsKept() {
        fake.beforeAppend = file -> {
            throw new CommitStateUnknownException("lost", file.key(), new IllegalStateException("timeout"));
        };
        SchemaFlush unknown = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(unknown.outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(fake.objects()).hasSize(1);
    }

    @Test
    void objectOfAnAppendThatABugBrokeOffIsKept() {
        fake.beforeAppend = file -> {
            throw new IllegalStateException("a bug");
        };
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(fake.objects()).hasSize(1);
        assertThat(failed.error())
                .hasMessageContaining("append of " + fake.objects().get(0))
                .hasMessageContaining("a bug");
    }

    @Test
    void objectOfAnAppendThatAnErrorBrokeOffIsKept() {
        fake.beforeAppend = file -> {
            throw new StackOverflowError();
        };
        assertThat(catchThrowable(() -> fake.flush(null, 7))).isInstanceOf(StackOverflowError.class);
        assertThat(fake.objects()).hasSize(1);
    }

    @Test
    void deletionThatFailsIsSuppressedInTheFailureOfTheAppend() {
        CdcException known = new CdcException("refused");
        ObjectStoreException cleanup = new ObjectStoreException("may not delete");
        fake.beforeAppend = file -> {
            throw known;
        };
        fake.beforeDelete = () -> {
            throw cleanup;
        };
        SchemaFlush failed = failure(catchThrowable(() -> fake.flush(null, 7)));
        assertThat(failed.error()).hasMessageEndingWith(": refused").hasCause(known);
        assertThat(known).hasSuppressedException(cleanup);
        assertThat(fake.objects()).hasSize(1);
    }

    @Test
    void deletionThatFailsLeavesAFencedFlushFenced() {
        fake.beforeAppend = file -> {
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
