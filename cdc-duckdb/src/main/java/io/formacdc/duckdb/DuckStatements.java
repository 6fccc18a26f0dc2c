package io.formacdc.duckdb;

import io.formacdc.core.CdcConfig;
import io.formacdc.core.CdcException;
import io.formacdc.core.CdcInterruptedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;

/**
 * Runs statements that end when the calling thread is interrupted or a time limit passes. Confined to a thread, the one
 * that its watch watches.
 *
 * @param wanted of the connection's database
 * @param limit longest time of one statement
 * @param subject what is done, for messages, as in "the merge of schema 7"
 * @param readable puts names that a reader knows into DuckDB's messages
 */
record DuckStatements(
        Connection connection,
        Wanted wanted,
        InterruptWatch watch,
        Duration limit,
        String subject,
        UnaryOperator<String> readable) {

    private static final String OUT_OF_MEMORY = "Out of Memory Error";
    private static final String INTERRUPTED = "INTERRUPT Error";

    /** Takes a result. */
    @FunctionalInterface
    interface Reader<T> {
        T read(ResultSet result) throws SQLException;
    }

    @FunctionalInterface
    private interface Run<T> {
        T in(Statement statement) throws SQLException;
    }

    /** The same in another database. */
    DuckStatements on(Connection another) {
        return new DuckStatements(another, wanted, watch, limit, subject, readable);
    }

    void execute(String sql) {
        run(statement -> statement.execute(sql), DuckStatements::cancel);
    }

    <T> T query(String sql, Reader<T> reader) {
        return run(statement -> read(statement, sql, reader), DuckStatements::cancel);
    }

    /**
     * Runs a COPY that asks {@link Wanted#condition} of its rows.
     *
     * @param progress told, on DuckDB's threads, of so many more rows of which {@link Wanted#countingCondition} was asked
     */
    <T> T copy(String sql, Reader<T> reader, LongConsumer progress) {
        wanted.begin(progress);
        return run(statement -> read(statement, sql, reader), statement -> wanted.end());
    }

    private static <T> T read(Statement statement, String sql, Reader<T> reader) throws SQLException {
        try (ResultSet result = statement.executeQuery(sql)) {
            return reader.read(result);
        }
    }

    private <T> T run(Run<T> run, Consumer<Statement> end) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CdcInterruptedException(interrupted());
        }
        try (Statement statement = connection.createStatement();
                InterruptWatch.Guard guard = watch.guard(limit, attempt -> end.accept(statement))) {
            try {
                T result = run.in(statement);
                if (wanted.ended()) {
                    throw endedEarly();
                }
                return result;
            } catch (SQLException e) {
                throw failure(e, guard);
            } finally {
                wanted.begin();
            }
        } catch (SQLException e) {
            throw new CdcException(subject + ": DuckDB failed: " + readable.apply(firstLine(e)), readable(e));
        }
    }

    /** The cause reaches logs too. */
    private SQLException readable(SQLException e) {
        String text = String.valueOf(e.getMessage());
        String shown = readable.apply(text);
        return shown.equals(text) ? e : new SQLException(shown, e.getSQLState());
    }

    private CdcException failure(SQLException e, InterruptWatch.Guard guard) {
        if (Thread.currentThread().isInterrupted()) {
            return new CdcInterruptedException(interrupted(), readable(e));
        }
        if (guard.timedOut()) {
            return new CdcException(timedOut(), readable(e));
        }
        return new CdcException(subject + ": DuckDB failed: " + readable.apply(firstLine(e)), readable(e));
    }

    private CdcException endedEarly() {
        return Thread.currentThread().isInterrupted()
                ? new CdcInterruptedException(interrupted())
                : new CdcException(timedOut());
    }

    private String interrupted() {
        return "interrupted before the end of " + subject;
    }

    private String timedOut() {
        return subject + ": a statement took longer than queryTimeout " + limit;
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException e) {
            // It ended by itself.
        }
    }

    /** Whether a statement ended because it needed more memory than the limit. */
    static boolean outOfMemory(CdcException failure) {
        return failure.getCause() instanceof SQLException e && firstLine(e).startsWith(OUT_OF_MEMORY);
    }

    /** Whether a statement ended because of what it read, or may have: not for want of memory, nor by an interrupt. */
    static boolean mayBeOfAFile(CdcException failure) {
        return failure.getCause() instanceof SQLException e
                && !outOfMemory(failure)
                && !firstLine(e).startsWith(INTERRUPTED);
    }

    /** What DuckDB says of too little memory, with what a host can do about it; other messages as they are. */
    static String withMemoryAdvice(String message, CdcConfig config) {
        if (!message.startsWith(OUT_OF_MEMORY)) {
            return message;
        }
        String raise = message + "; raise duckMemLimit, which is " + config.duckMemLimit();
        return config.duckThreads() == 1 ? raise : raise + ", or lower duckThreads, which is " + config.duckThreads();
    }

    /** What follows the first line repeats the statement. */
    static String firstLine(SQLException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
