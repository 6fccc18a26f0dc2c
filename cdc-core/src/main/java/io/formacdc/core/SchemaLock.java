package io.formacdc.core;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PostgreSQL's advisory lock {@code (schemaId, schemaId)}, which all who flush or export a schema take, in Java and in
 * Go. It belongs to one session and ends with it; it saves work, and no promise rests on it. A connection pooler that
 * gives each transaction another session (PgBouncer in transaction mode) cannot carry it.
 *
 * <p>Not thread-safe.
 */
public final class SchemaLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaLock.class);

    private final Connection connection;
    private final int schemaId;
    private final Jdbc.AutoCommit autoCommit;
    private boolean closed;

    private SchemaLock(Connection connection, int schemaId) throws SQLException {
        this.connection = connection;
        this.schemaId = schemaId;
        this.autoCommit = Jdbc.autoCommit(connection);
    }

    /**
     * Takes a schema's lock on a connection of its own, without waiting. The connection commits each statement, whatever
     * the data source hands out.
     *
     * @return empty if another session holds it; no connection is left open then
     * @throws DatabaseException if there is no connection, or it fails; none is left open
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public static Optional<SchemaLock> tryAcquire(DataSource dataSource, int schemaId) {
        SchemaIds.check(schemaId);
        try {
            Connection connection = dataSource.getConnection();
            try {
                SchemaLock lock = new SchemaLock(connection, schemaId);
                if (acquireSchemaLock(connection, schemaId)) {
                    return Optional.of(lock);
                }
                lock.giveBack();
                return Optional.empty();
            } catch (SQLException | RuntimeException e) {
                discard(connection, e);
                throw e;
            }
        } catch (SQLException e) {
            throw new DatabaseException("connection for the lock of schema " + schemaId, e);
        }
    }

    /**
     * Takes a schema's lock on the caller's session, without waiting. A session that holds it already takes it once
     * more, and must release it as often.
     *
     * @return false if another session holds it
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public static boolean acquireSchemaLock(Connection connection, int schemaId) {
        return ask(connection, "SELECT pg_try_advisory_lock(?, ?)", schemaId, "take");
    }

    /**
     * Releases a schema's lock on the session that took it.
     *
     * @throws CdcException if this session does not hold it: on a pool, the lock stays with the session that does
     * @throws IllegalArgumentException for a schema id outside 1..32767
     */
    public static void releaseSchemaLock(Connection connection, int schemaId) {
        if (!ask(connection, "SELECT pg_advisory_unlock(?, ?)", schemaId, "release")) {
            throw new CdcException("the lock of schema " + schemaId + " is not held by this session");
        }
    }

    /** The session that holds the lock, for statements that must end with it. It is closed with the lock. */
    public Connection connection() {
        return connection;
    }

    /** Asks the server whether this very session still holds the lock; false also if the session is gone. */
    public boolean isHeld() {
        if (closed) {
            return false;
        }
        try {
            return ask(connection, """
                    SELECT EXISTS (SELECT FROM pg_locks
                      WHERE locktype = 'advisory' AND classid = ? AND objid = ? AND objsubid = 2 AND granted
                        AND pid = pg_backend_pid())""", schemaId, "check");
        } catch (DatabaseException e) {
            LOG.debug("schema {}: the session of the lock is gone", schemaId, e);
            return false;
        }
    }

    /**
     * Releases the lock and gives the connection back. Throws nothing: a session that cannot release its lock is ended,
     * and its lock with it. May be called twice, and by a thread that is interrupted.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        // A pool, or a socket under a virtual thread, may refuse to work for an interrupted thread.
        boolean interrupted = Thread.interrupted();
        try {
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            releaseSchemaLock(connection, schemaId);
            giveBack();
        } catch (SQLException | RuntimeException e) {
            LOG.warn("schema {}: the session of the lock is gone, or was ended: {}", schemaId, e.getMessage());
            discard(connection, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the session for good, and the lock with it. */
    void discard(Exception reason) {
        closed = true;
        LOG.warn("schema {}: the session of the lock is gone, or was ended: {}", schemaId, reason.getMessage());
        discard(connection, reason);
    }

    private void giveBack() throws SQLException {
        autoCommit.close();
        connection.close();
    }

    /** Ends the session, so that no pool hands it out again with a lock on it. */
    private static void discard(Connection connection, Exception reason) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        }
        try {
            connection.close();
        } catch (SQLException | RuntimeException e) {
            reason.addSuppressed(e);
        }
    }

    private static boolean ask(Connection connection, String sql, int schemaId, String doing) {
        SchemaIds.check(schemaId);
        try {
            return Jdbc.queryOne(
                    connection,
                    sql,
                    statement -> {
                        statement.setInt(1, schemaId);
                        statement.setInt(2, schemaId);
                    },
                    row -> row.getBoolean(1));
        } catch (SQLException e) {
            throw new DatabaseException(doing + " of the lock of schema " + schemaId, e);
        }
    }
}
