package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.formacdc.examples.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class SchemaLockIT {
    private static TestLog log;
    private static DataSource sessions;

    @BeforeAll
    static void open() throws SQLException {
        log = new TestLog();
        sessions = log.database.dataSource();
    }

    @AfterAll
    static void close() throws SQLException {
        log.close();
    }

    @BeforeEach
    @AfterEach
    void nobodyHoldsALock() {
        // A session that was ended gives up its locks when its backend has seen that.
        await().atMost(Duration.ofSeconds(20)).until(() -> holders() == 0);
    }

    @Test
    void oneSessionHoldsASchemaAtATime() {
        try (SchemaLock lock = take(sessions, 7)) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(SchemaLock.tryAcquire(sessions, 7)).isEmpty();
        }
        take(sessions, 7).close();
    }

    @Test
    void schemasDoNotBlockEachOther() {
        try (SchemaLock seven = take(sessions, 7);
                SchemaLock eight = take(sessions, 8)) {
            assertThat(seven.isHeld()).isTrue();
            assertThat(eight.isHeld()).isTrue();
        }
    }

    @Test
    void databasesDoNotBlockEachOther() {
        try (LocalPostgres other = LocalPostgres.shared().createDatabase();
                SchemaLock here = take(sessions, 7);
                SchemaLock there = take(other.dataSource(), 7)) {
            assertThat(here.isHeld()).isTrue();
            assertThat(there.isHeld()).isTrue();
        }
    }

    @Test
    void itIsTheLockThatTheGoCodeTakes() throws SQLException {
        log.execute("SELECT pg_advisory_lock(7, 7)");
        assertThat(SchemaLock.tryAcquire(sessions, 7)).isEmpty();
        log.execute("SELECT pg_advisory_unlock(7, 7)");
    }

    @Test
    void aLockOfTheSameNumbersInOneKeyIsAnother() throws SQLException {
        log.execute("SELECT pg_advisory_lock((7::bigint << 32) + 7)");
        try (SchemaLock lock = take(sessions, 7)) {
            SchemaLock.releaseSchemaLock(lock.connection(), 7);
            lock.connection().createStatement().execute("SELECT pg_advisory_lock_shared((7::bigint << 32) + 8)");
            assertThat(lock.isHeld()).isFalse();
        } finally {
            log.execute("SELECT pg_advisory_unlock_all()");
        }
    }

    @Test
    void aClosedLockIsHeldNoMoreAndMayBeClosedAgain() {
        SchemaLock lock = take(sessions, 7);
        lock.close();
        lock.close();
        assertThat(lock.isHeld()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noLockStaysOnAPooledSession(boolean autoCommit) throws SQLException {
        try (TestPool pool = new TestPool(sessions, autoCommit)) {
            SchemaLock lock = take(pool, 7);
            assertThat(lock.connection().getAutoCommit()).isTrue();
            assertThat(SchemaLock.tryAcquire(pool, 7)).isEmpty();
            lock.close();
            assertThat(pool.idleSessions()).isEqualTo(2);
            assertThat(pool.borrowed).isZero();
            assertThat(holders()).isZero();
            try (Connection again = pool.getConnection()) {
                assertThat(again.getAutoCommit()).isEqualTo(autoCommit);
            }
        }
    }

    @Test
    void aFailedTransactionOnTheLocksSessionDoesNotKeepTheLock() throws SQLException {
        try (TestPool pool = new TestPool(sessions, true)) {
            SchemaLock lock = take(pool, 7);
            lock.connection().setAutoCommit(false);
            assertThatThrownBy(() -> TestLog.execute(lock.connection(), "SELECT nothing"))
                    .isInstanceOf(SQLException.class);
            lock.close();
            assertThat(holders()).isZero();
            assertThat(pool.idleSessions()).isEqualTo(1);
        }
    }

    @Test
    void aSessionThatCannotReleaseItsLockIsNotHandedOutAgain() throws SQLException {
        try (TestPool pool = new TestPool(sessions, true)) {
            SchemaLock lock = take(pool, 7);
            TestLog.execute(lock.connection(), "SELECT pg_advisory_unlock_all()");
            lock.close();
            assertThat(pool.idleSessions()).isZero();
            assertThat(pool.borrowed).isZero();
        }
    }

    @Test
    void aKilledSessionHoldsNothingAndClosesQuietly() throws SQLException {
        try (TestPool pool = new TestPool(sessions, true)) {
            SchemaLock lost = take(pool, 7);
            kill(lost.connection());
            assertThat(lost.isHeld()).isFalse();
            try (SchemaLock other = take(sessions, 7)) {
                lost.close();
                assertThat(other.isHeld()).isTrue();
            }
            assertThat(pool.idleSessions()).isZero();
            assertThat(pool.borrowed).isZero();
        }
    }

    @Test
    void aKilledSessionThatWasNotAskedClosesQuietly() throws SQLException {
        SchemaLock lost = take(sessions, 7);
        kill(lost.connection());
        lost.close();
        assertThat(lost.connection().isClosed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSessionThatIsGoneIsWarnedOfUnlessAnInterruptEndedIt(boolean interrupted) throws SQLException {
        Logger logger = (Logger) LoggerFactory.getLogger(SchemaLock.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.WARN);
        SchemaLock lost = take(sessions, 7);
        try {
            kill(lost.connection());
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            lost.close();
            assertThat(Thread.interrupted()).isEqualTo(interrupted);
            assertThat(lines.list.stream().anyMatch(line -> line.getLevel() == Level.WARN))
                    .isEqualTo(!interrupted);
        } finally {
            logger.detachAppender(lines);
            logger.setLevel(null);
        }
    }

    @Test
    void anInterruptedThreadReleasesAndStaysInterrupted() throws SQLException {
        SchemaLock lock = take(sessions, 7);
        Thread.currentThread().interrupt();
        lock.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(holders()).isZero();
    }

    @Test
    void noConnectionIsAnErrorThatNamesTheSchemaAndNoPassword() {
        try (LocalPostgres gone = LocalPostgres.shared().createDatabase()) {
            DataSource toNowhere = gone.dataSource();
            gone.close();
            assertThatThrownBy(() -> SchemaLock.tryAcquire(toNowhere, 7))
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("schema 7")
                    .hasMessageNotContaining(gone.password());
        }
    }

    @Test
    void parityNamesLockOnTheCallersSession() throws SQLException {
        try (Connection one = log.open();
                Connection other = log.open()) {
            assertThat(SchemaLock.acquireSchemaLock(one, 7)).isTrue();
            assertThat(SchemaLock.acquireSchemaLock(other, 7)).isFalse();
            assertThatThrownBy(() -> SchemaLock.releaseSchemaLock(other, 7))
                    .isInstanceOf(CdcException.class)
                    .hasMessage("the lock of schema 7 is not held by this session");
            SchemaLock.releaseSchemaLock(one, 7);
            assertThat(SchemaLock.acquireSchemaLock(other, 7)).isTrue();
            SchemaLock.releaseSchemaLock(other, 7);
        }
    }

    private static SchemaLock take(DataSource dataSource, int schemaId) {
        Optional<SchemaLock> lock = SchemaLock.tryAcquire(dataSource, schemaId);
        assertThat(lock).isPresent();
        return lock.orElseThrow();
    }

    /** Ends a session as an administrator does, and returns once it is gone. */
    static void kill(Connection session) throws SQLException {
        assertThat(log.strings("SELECT pg_terminate_backend(" + TestLog.backend(session) + ", 20000)"))
                .containsExactly("t");
    }

    private static long holders() throws SQLException {
        return Long.parseLong(log.strings("SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
                        + " WHERE locktype = 'advisory' AND datname = current_database()")
                .get(0));
    }
}
